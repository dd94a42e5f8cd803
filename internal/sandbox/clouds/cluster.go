package clouds

import (
	"context"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// clusterReconciler makes what surrounds a flavour's control planes. In the
// sandbox that is nothing: it hands the control plane's endpoint to Cluster API.
type clusterReconciler struct{ reconciler }

const workers = 16

func (r *clusterReconciler) add(manager ctrl.Manager) error {
	return ctrl.NewControllerManagedBy(manager).
		Named("sandbox-"+r.flavor.name+"-cluster").
		For(newObject(r.flavor.cluster)).
		Watches(newObject(r.flavor.controlPlane), handler.EnqueueRequestsFromMapFunc(r.ofControlPlane)).
		WithOptions(options(workers)).
		Complete(r)
}

// ofControlPlane finds the infrastructure cluster beside a control plane.
func (r *clusterReconciler) ofControlPlane(ctx context.Context, controlPlane client.Object) []reconcile.Request {
	cluster := &clusterv1.Cluster{}
	name := types.NamespacedName{Namespace: controlPlane.GetNamespace(), Name: controlPlane.GetLabels()[clusterv1.ClusterNameLabel]}
	if name.Name == "" || r.Get(ctx, name, cluster) != nil || cluster.Spec.InfrastructureRef.Kind != r.flavor.cluster.Kind {
		return nil
	}
	name.Name = cluster.Spec.InfrastructureRef.Name
	return []reconcile.Request{{NamespacedName: name}}
}

func (r *clusterReconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	return r.run(ctx, r.flavor.cluster, request, r)
}

func (r *clusterReconciler) create(ctx context.Context, subject *subject) error {
	controlPlane, err := r.controlPlaneOf(ctx, subject.cluster)
	if err != nil {
		return err
	}
	endpoint, found, err := unstructured.NestedMap(controlPlane.Object, r.flavor.endpoint...)
	if err != nil || !found || !flag(controlPlane.Object, "status", "ready") {
		return waitFor("WaitingForControlPlane", "%s %s is not ready yet", controlPlane.GetKind(), controlPlane.GetName())
	}
	set(subject.Object, endpoint, "spec", "controlPlaneEndpoint")
	set(subject.Object, true, "status", "ready")
	return nil
}

func (r *clusterReconciler) remove(context.Context, *subject) error { return nil }

// controlPlaneOf reads the control plane of a cluster.
func (r *reconciler) controlPlaneOf(ctx context.Context, cluster *clusterv1.Cluster) (*unstructured.Unstructured, error) {
	reference := cluster.Spec.ControlPlaneRef
	if reference.Kind != r.flavor.controlPlane.Kind {
		return nil, Refuse("WrongControlPlane", "the control plane of Cluster %s is a %q, want %s", cluster.Name, reference.Kind, r.flavor.controlPlane.Kind)
	}
	controlPlane := newObject(r.flavor.controlPlane)
	err := r.Get(ctx, client.ObjectKey{Namespace: cluster.Namespace, Name: reference.Name}, controlPlane)
	if client.IgnoreNotFound(err) != nil {
		return nil, err
	}
	if err != nil {
		return nil, waitFor("WaitingForControlPlane", "%s %s does not exist yet", reference.Kind, reference.Name)
	}
	return controlPlane, nil
}
