package controlplane

import (
	"context"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apiserver/pkg/server/healthz"
	"k8s.io/apiserver/pkg/util/compatibility"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/metadata/metadatainformer"
	"k8s.io/client-go/restmapper"
	metrics "k8s.io/component-base/metrics/prometheus/controllers"
	"k8s.io/controller-manager/pkg/clientbuilder"
	"k8s.io/controller-manager/pkg/informerfactory"
	"k8s.io/kubernetes/cmd/kube-controller-manager/app"
	"k8s.io/kubernetes/cmd/kube-controller-manager/app/config"
	"k8s.io/kubernetes/cmd/kube-controller-manager/app/options"
	"k8s.io/kubernetes/cmd/kube-controller-manager/names"
	"k8s.io/kubernetes/pkg/controller/garbagecollector"

	"github.com/meridian-fleet/meridian/internal/sandbox/kubebox/internal/credentials"
)

// controllers run in every cluster: what workloads, their nodes and their
// cleaning up need. Left out is what serves clouds, storage and certificates,
// which nothing simulated uses and which costs memory in every cluster.
var controllers = []string{
	names.ClusterRoleAggregationController,
	names.CronJobController,
	names.DaemonSetController,
	names.DeploymentController,
	names.DisruptionController,
	names.EndpointSliceController,
	names.GarbageCollectorController,
	names.HorizontalPodAutoscalerController,
	names.JobController,
	names.NamespaceController,
	names.NodeLifecycleController,
	names.PodGarbageCollectorController,
	names.ReplicaSetController,
	names.ResourceClaimController,
	names.ResourceQuotaController,
	names.RootCACertificatePublisherController,
	names.ServiceAccountController,
	names.StatefulSetController,
	names.TaintEvictionController,
	names.TTLAfterFinishedController,
	names.ValidatingAdmissionPolicyStatusController,
}

const (
	resync            = 12 * time.Hour
	discoveryInterval = 30 * time.Second
	startJitter       = 0.1
	shutdownTimeout   = time.Second
)

// startControllers does what the controller manager's own command does, less
// leader election and its own serving port.
func (c *cluster) startControllers(ctx context.Context) error {
	completed, err := c.controllerConfig(ctx)
	if err != nil {
		return err
	}
	shared, err := controllerContext(ctx, completed)
	if err != nil {
		return err
	}
	built, err := app.BuildControllers(ctx, shared, app.NewControllerDescriptors(), nil, noHealthChecks{})
	if err != nil {
		return err
	}
	shared.InformerFactory.Start(ctx.Done())
	shared.ObjectOrMetadataInformerFactory.Start(ctx.Done())
	close(shared.InformersStarted)
	go app.RunControllers(ctx, shared, built, startJitter, shutdownTimeout)
	return nil
}

func (c *cluster) controllerConfig(ctx context.Context) (*config.CompletedConfig, error) {
	kubeconfig, err := c.kubeconfigFile(credentials.ControllerManager, "controller-manager")
	if err != nil {
		return nil, err
	}
	options, err := options.NewKubeControllerManagerOptions()
	if err != nil {
		return nil, err
	}
	known, disabled, aliases := app.KnownControllers(), app.ControllersDisabledByDefault(), app.ControllerAliases()
	err = parse(options.Flags(known, disabled, aliases), []string{
		"--kubeconfig=" + kubeconfig,
		"--controllers=" + strings.Join(controllers, ","),
		"--root-ca-file=" + c.credentials.AuthorityFile(),
		"--leader-elect=false",
		"--secure-port=0",
		"--kube-api-qps=1000",
		"--kube-api-burst=2000",
		"--emulated-version=kube=" + c.version.minor(),
	})
	if err != nil {
		return nil, err
	}
	if err := compatibility.DefaultComponentGlobalsRegistry.Set(); err != nil {
		return nil, err
	}
	config, err := options.Config(ctx, known, disabled, aliases)
	if err != nil {
		return nil, err
	}
	return config.Complete(), nil
}

// controllerContext makes what the controllers share.
func controllerContext(ctx context.Context, completed *config.CompletedConfig) (app.ControllerContext, error) {
	clients := clientbuilder.SimpleControllerClientBuilder{ClientConfig: completed.Kubeconfig}
	client, err := clients.Client("shared-informers")
	if err != nil {
		return app.ControllerContext{}, err
	}
	objectInformers := informers.NewSharedInformerFactory(client, resync)
	metadataConfig, err := clients.Config("metadata-informers")
	if err != nil {
		return app.ControllerContext{}, err
	}
	metadataClient, err := metadata.NewForConfig(metadataConfig)
	if err != nil {
		return app.ControllerContext{}, err
	}
	discoveryClient, err := clients.DiscoveryClient("controller-discovery")
	if err != nil {
		return app.ControllerContext{}, err
	}
	mapper := restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(discoveryClient))
	go wait.UntilWithContext(ctx, func(context.Context) { mapper.Reset() }, discoveryInterval)
	shared := app.ControllerContext{
		ClientBuilder:                   clients,
		InformerFactory:                 objectInformers,
		ObjectOrMetadataInformerFactory: informerfactory.NewInformerFactory(objectInformers, metadatainformer.NewSharedInformerFactory(metadataClient, resync)),
		ComponentConfig:                 completed.ComponentConfig,
		RESTMapper:                      mapper,
		InformersStarted:                make(chan struct{}),
		ResyncPeriod:                    app.ResyncPeriod(completed),
		ControllerManagerMetrics:        metrics.NewControllerManagerMetrics("kube-controller-manager"),
	}
	shared.GraphBuilder = garbagecollector.NewDependencyGraphBuilder(ctx, metadataClient, mapper,
		ignoredResources(completed), shared.ObjectOrMetadataInformerFactory, shared.InformersStarted)
	return shared, nil
}

// ignoredResources are those the garbage collector leaves alone.
func ignoredResources(completed *config.CompletedConfig) map[schema.GroupResource]struct{} {
	ignored := map[schema.GroupResource]struct{}{}
	for _, resource := range completed.ComponentConfig.GarbageCollectorController.GCIgnoredResources {
		ignored[schema.GroupResource{Group: resource.Group, Resource: resource.Resource}] = struct{}{}
	}
	return ignored
}

// noHealthChecks drops the health checks of controllers: nothing serves them.
type noHealthChecks struct{}

func (noHealthChecks) AddHealthChecker(...healthz.HealthChecker) {}
