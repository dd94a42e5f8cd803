package capi

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// fieldManager owns the fields Meridian sets on the management cluster.
const fieldManager = "meridian-fleet"

// clusterLabel marks every object Meridian made for a cluster, so that it is
// found again whatever became of the Cluster object itself.
const clusterLabel = "meridian.dev/cluster"

const requestTimeout = 30 * time.Second

// Management is the management cluster. It is safe for concurrent use.
type Management struct {
	namespace string
	core      kubernetes.Interface
	dynamic   dynamic.Interface
	mapper    meta.ResettableRESTMapper
}

// Connect prepares to work with a management cluster in a namespace, which is
// created when it is missing.
func Connect(config *rest.Config, namespace string) (*Management, error) {
	config = rest.CopyConfig(config)
	config.QPS = -1 // the server's own priority and fairness decides
	config.UserAgent = fieldManager
	core, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, fleet.Errorf(fleet.ErrInvalid, "management cluster: %w", err)
	}
	dynamicClient, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, fleet.Errorf(fleet.ErrInvalid, "management cluster: %w", err)
	}
	m := &Management{
		namespace: namespace, core: core, dynamic: dynamicClient,
		mapper: restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(core.Discovery())),
	}
	ctx, cancel := context.WithTimeout(context.Background(), requestTimeout)
	defer cancel()
	return m, m.ensureNamespace(ctx)
}

// Namespace is where the fleet's objects are.
func (m *Management) Namespace() string { return m.namespace }

// Ping reports whether the management cluster answers.
func (m *Management) Ping(ctx context.Context) error {
	_, err := m.core.CoreV1().Namespaces().Get(ctx, m.namespace, metav1.GetOptions{})
	return wrap(err, "read", "Namespace "+m.namespace)
}

func (m *Management) ensureNamespace(ctx context.Context) error {
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: m.namespace}}
	_, err := m.core.CoreV1().Namespaces().Create(ctx, namespace, metav1.CreateOptions{FieldManager: fieldManager})
	if err == nil || apierrors.IsAlreadyExists(err) {
		return nil
	}
	if apierrors.IsForbidden(err) { // allowed to use it, perhaps, but not to make it
		_, err = m.core.CoreV1().Namespaces().Get(ctx, m.namespace, metav1.GetOptions{})
	}
	return wrap(err, "create", "Namespace "+m.namespace)
}
