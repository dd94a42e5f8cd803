package clusterapi

import (
	"context"
	"errors"
	"time"

	"sigs.k8s.io/cluster-api/controllers/clustercache"
	"sigs.k8s.io/cluster-api/core/reconcilers/cluster"
	"sigs.k8s.io/cluster-api/core/reconcilers/machine"
	"sigs.k8s.io/cluster-api/core/reconcilers/machinedeployment"
	"sigs.k8s.io/cluster-api/core/reconcilers/machinehealthcheck"
	"sigs.k8s.io/cluster-api/core/reconcilers/machinepool"
	"sigs.k8s.io/cluster-api/core/reconcilers/machineset"
	"sigs.k8s.io/cluster-api/core/setup"
	"sigs.k8s.io/cluster-api/core/webhooks/admission"
	"sigs.k8s.io/cluster-api/util/index"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/controller"
)

// Cluster API's own defaults: how long a workload cluster may be out of reach
// before its conditions say so.
const (
	connectionGrace = 50 * time.Second
	conditionsGrace = 5 * time.Minute
)

// addControllers wires the core controllers as core/main.go of Cluster API
// does, less those behind feature gates that are off.
func addControllers(ctx context.Context, manager ctrl.Manager) error {
	if err := index.AddDefaultIndexes(ctx, manager); err != nil {
		return err
	}
	options := controller.Options{MaxConcurrentReconciles: 10}
	cache, err := addClusterCache(ctx, manager, options)
	if err != nil {
		return err
	}
	api, reader := manager.GetClient(), manager.GetAPIReader()
	return errors.Join(
		(&cluster.Reconciler{Client: api, APIReader: reader, ClusterCache: cache, RemoteConnectionGracePeriod: connectionGrace}).SetupWithManager(ctx, manager, options),
		(&machine.Reconciler{Client: api, APIReader: reader, ClusterCache: cache, RemoteConditionsGracePeriod: conditionsGrace}).SetupWithManager(ctx, manager, options),
		(&machineset.Reconciler{Client: api, APIReader: reader, ClusterCache: cache}).SetupWithManager(ctx, manager, options),
		(&machinedeployment.Reconciler{Client: api, APIReader: reader}).SetupWithManager(ctx, manager, options),
		(&machinepool.Reconciler{Client: api, APIReader: reader, ClusterCache: cache}).SetupWithManager(ctx, manager, options),
		(&machinehealthcheck.Reconciler{Client: api, ClusterCache: cache}).SetupWithManager(ctx, manager, options),
		(&admission.Cluster{Client: api, ClusterCacheReader: cache}).SetupWebhookWithManager(manager),
		(&admission.Machine{}).SetupWebhookWithManager(manager),
		(&admission.MachineSet{}).SetupWebhookWithManager(manager),
		(&admission.MachineDeployment{}).SetupWebhookWithManager(manager),
		(&admission.MachineDrainRule{}).SetupWebhookWithManager(manager),
		(&admission.MachineHealthCheck{}).SetupWebhookWithManager(manager),
		(&admission.MachinePool{}).SetupWebhookWithManager(manager),
	)
}

func addClusterCache(ctx context.Context, manager ctrl.Manager, options controller.Options) (clustercache.ClusterCache, error) {
	secrets, err := setup.CreateSecretCachingClient(manager)
	if err != nil {
		return nil, err
	}
	return clustercache.SetupWithManager(ctx, manager, clustercache.Options{
		SecretClient: secrets,
		Cache:        setup.ClusterCacheCacheOptions(),
		Client:       setup.ClusterCacheClientOptions(controllerName, 20, 30),
	}, options)
}
