package clusterapi

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/go-logr/logr"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/rest"
	"k8s.io/utils/ptr"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"
	"sigs.k8s.io/cluster-api/core/setup"
	"sigs.k8s.io/cluster-api/feature"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
)

const (
	controllerName = "meridian-sandbox"
	// The management API server is ours alone: its own fairness is limit enough.
	requestsPerSecond = 500
	resyncPeriod      = 10 * time.Hour
)

// Manager runs Cluster API's controllers and webhooks. Further controllers can
// be added to the embedded manager until Start.
type Manager struct {
	manager.Manager
	webhooks *webhookServer
}

// New prepares the controllers and webhooks on a control plane that has the
// definitions. It points the API server at the webhooks' port, which accepts
// connections from now on and answers them after Start.
func New(ctx context.Context, restConfig *rest.Config, logger *slog.Logger) (*Manager, error) {
	// The gate delays a reconcile by up to a second after another one, for the
	// sake of large management clusters.
	if err := feature.MutableGates.SetFromMap(map[string]bool{string(feature.ReconcilerRateLimiting): false}); err != nil {
		return nil, err
	}
	webhooks, err := newWebhookServer()
	if err != nil {
		return nil, fmt.Errorf("webhook server: %w", err)
	}
	restConfig = unthrottled(restConfig)
	inner, err := ctrl.NewManager(restConfig, managerOptions(webhooks, logger))
	if err == nil {
		err = addControllers(ctx, inner)
	}
	if err == nil {
		err = configureWebhooks(ctx, restConfig, webhooks)
	}
	if err != nil {
		webhooks.close()
		return nil, err
	}
	return &Manager{Manager: inner, webhooks: webhooks}, nil
}

func unthrottled(config *rest.Config) *rest.Config {
	config = rest.CopyConfig(config)
	config.QPS, config.Burst = requestsPerSecond, 2*requestsPerSecond
	return config
}

func managerOptions(webhooks *webhookServer, logger *slog.Logger) ctrl.Options {
	return ctrl.Options{
		Scheme: scheme,
		Logger: logr.FromSlogHandler(logger.Handler()),
		Controller: config.Controller{
			UsePriorityQueue: ptr.To(feature.Gates.Enabled(feature.PriorityQueue)),
			// Names are unique per process otherwise, and tests run several managers.
			SkipNameValidation: ptr.To(true),
		},
		Cache:                   setup.ManagerCacheOptions(scheme, controllerName, "", resyncPeriod),
		Client:                  setup.ManagerClientOptions(),
		Metrics:                 metricsserver.Options{BindAddress: "0"},
		WebhookServer:           webhooks,
		GracefulShutdownTimeout: ptr.To(5 * time.Second),
	}
}

// Start runs until ctx ends.
func (m *Manager) Start(ctx context.Context) error {
	defer m.webhooks.close()
	return m.Manager.Start(ctx)
}

// WaitReady returns when a Cluster would be admitted: the definitions are served,
// and the API server reaches the webhooks.
func (m *Manager) WaitReady(ctx context.Context) error {
	select {
	case <-m.Elected():
	case <-ctx.Done():
		return ctx.Err()
	}
	var last error
	err := wait.PollUntilContextTimeout(ctx, 100*time.Millisecond, readyTimeout, true, func(ctx context.Context) (bool, error) {
		last = m.GetClient().Create(ctx, probe(), client.DryRunAll)
		return last == nil, nil
	})
	if err != nil && last != nil && ctx.Err() == nil {
		return fmt.Errorf("the management cluster admits no Cluster: %w", last)
	}
	return err
}

const readyTimeout = time.Minute

func probe() *clusterv1.Cluster {
	return &clusterv1.Cluster{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "readiness-probe-", Namespace: metav1.NamespaceDefault},
		Spec: clusterv1.ClusterSpec{
			InfrastructureRef: clusterv1.ContractVersionedObjectReference{APIGroup: "infrastructure.cluster.x-k8s.io", Kind: "AWSManagedCluster", Name: "probe"},
			ControlPlaneRef:   clusterv1.ContractVersionedObjectReference{APIGroup: "controlplane.cluster.x-k8s.io", Kind: "AWSManagedControlPlane", Name: "probe"},
		},
	}
}
