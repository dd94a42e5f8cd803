package clouds

import (
	"context"
	"errors"
	"time"

	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// ControlPlanes runs workload control planes. Names are unique; what a control
// plane holds lasts from the first Ensure to Remove.
type ControlPlanes interface {
	// Ensure makes a control plane that serves a version of Kubernetes, or starts
	// the one there is at that version, waits until it answers and returns an
	// administrator's kubeconfig.
	Ensure(ctx context.Context, name, version string) (kubeconfig []byte, err error)
	// Remove ends a control plane and deletes its data. Removing one that does
	// not exist is no error.
	Remove(ctx context.Context, name string) error
}

// Add registers the controllers of every cloud with a manager whose API server
// has the definitions of their kinds.
func Add(manager ctrl.Manager, controlPlanes ControlPlanes) error {
	var errs []error
	for _, flavor := range flavors {
		base := reconciler{Client: manager.GetClient(), flavor: flavor}
		errs = append(errs,
			(&clusterReconciler{reconciler: base}).add(manager),
			(&controlPlaneReconciler{reconciler: base, controlPlanes: controlPlanes}).add(manager),
			(&poolReconciler{reconciler: base}).add(manager),
		)
	}
	return errors.Join(errs...)
}

// Failures are of this machine, where nothing is gained by holding back long.
const (
	shortestRetry = 100 * time.Millisecond
	longestRetry  = 5 * time.Second
)

func options(workers int) controller.Options {
	return controller.Options{
		MaxConcurrentReconciles: workers,
		RateLimiter:             workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](shortestRetry, longestRetry),
	}
}

// reconciler is what the three reconcilers of a flavour share.
type reconciler struct {
	client.Client
	flavor flavor
}
