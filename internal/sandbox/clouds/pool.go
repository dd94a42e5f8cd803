package clouds

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/sandbox/nodes"
)

// poolReconciler makes the nodes of a flavour's machine pools.
type poolReconciler struct{ reconciler }

func (r *poolReconciler) add(manager ctrl.Manager) error {
	return ctrl.NewControllerManagedBy(manager).
		Named("sandbox-"+r.flavor.name+"-pool").
		For(newObject(r.flavor.pool)).
		Watches(&clusterv1.MachinePool{}, handler.EnqueueRequestsFromMapFunc(r.ofMachinePool)).
		Watches(newObject(r.flavor.controlPlane), handler.EnqueueRequestsFromMapFunc(r.ofControlPlane)).
		WithOptions(options(workers)).
		Complete(r)
}

func (r *poolReconciler) ofMachinePool(_ context.Context, object client.Object) []reconcile.Request {
	machinePool, ok := object.(*clusterv1.MachinePool)
	if !ok || machinePool.Spec.Template.Spec.InfrastructureRef.Kind != r.flavor.pool.Kind {
		return nil
	}
	name := machinePool.Spec.Template.Spec.InfrastructureRef.Name
	return []reconcile.Request{{NamespacedName: types.NamespacedName{Namespace: machinePool.Namespace, Name: name}}}
}

func (r *poolReconciler) ofControlPlane(ctx context.Context, controlPlane client.Object) []reconcile.Request {
	cluster := controlPlane.GetLabels()[clusterv1.ClusterNameLabel]
	pools := &unstructured.UnstructuredList{}
	pools.SetGroupVersionKind(r.flavor.pool)
	inCluster := client.MatchingLabels{clusterv1.ClusterNameLabel: cluster}
	if cluster == "" || r.List(ctx, pools, client.InNamespace(controlPlane.GetNamespace()), inCluster) != nil {
		return nil
	}
	var requests []reconcile.Request
	for _, pool := range pools.Items {
		requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&pool)})
	}
	return requests
}

func (r *poolReconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	return r.run(ctx, r.flavor.pool, request, r)
}

func (r *poolReconciler) create(ctx context.Context, subject *subject) error {
	controlPlane, err := r.controlPlaneOf(ctx, subject.cluster)
	if err != nil {
		return err
	}
	if !flag(controlPlane.Object, "status", "ready") {
		return waitFor("WaitingForControlPlane", "%s %s is not ready yet", controlPlane.GetKind(), controlPlane.GetName())
	}
	machinePool, err := r.machinePoolOf(ctx, subject)
	if err != nil {
		return err
	}
	pool, err := r.plan(subject, controlPlane, machinePool)
	if err != nil {
		return err
	}
	config, err := r.connect(ctx, client.ObjectKeyFromObject(subject.cluster))
	if err != nil {
		return err
	}
	providerIDs, err := nodes.Ensure(ctx, config, pool)
	if errors.Is(err, fleet.ErrInvalid) {
		return Refuse("InvalidPool", "%v", err)
	}
	if err != nil {
		return fmt.Errorf("nodes: %w", err)
	}
	list := make([]any, len(providerIDs))
	for i, id := range providerIDs {
		list[i] = id
	}
	set(subject.Object, list, "spec", "providerIDList")
	set(subject.Object, int64(len(list)), "status", "replicas")
	set(subject.Object, true, "status", "ready")
	return nil
}

// machinePoolOf reads the MachinePool that owns a subject.
func (r *poolReconciler) machinePoolOf(ctx context.Context, subject *subject) (*clusterv1.MachinePool, error) {
	for _, owner := range subject.GetOwnerReferences() {
		if owner.Kind != "MachinePool" {
			continue
		}
		machinePool := &clusterv1.MachinePool{}
		err := r.Get(ctx, client.ObjectKey{Namespace: subject.GetNamespace(), Name: owner.Name}, machinePool)
		return machinePool, err
	}
	return nil, waitFor("WaitingForMachinePool", "no MachinePool owns this object yet")
}

// plan says which nodes a pool is to have.
func (r *poolReconciler) plan(subject *subject, controlPlane *unstructured.Unstructured, machinePool *clusterv1.MachinePool) (nodes.Pool, error) {
	shape, err := r.flavor.shape(subject.Unstructured)
	if err != nil {
		return nodes.Pool{}, err
	}
	machine, err := r.flavor.machineType(shape.machineType)
	if err != nil {
		return nodes.Pool{}, Refuse("InvalidMachineType", "%v", err)
	}
	version, err := nodeVersion(machinePool.Spec.Template.Spec.Version, text(controlPlane.Object, "status", "version"))
	if err != nil {
		return nodes.Pool{}, err
	}
	replicas := int64(ptr.Deref(machinePool.Spec.Replicas, 1))
	if err := shape.admits(replicas); err != nil {
		return nodes.Pool{}, err
	}
	region := r.flavor.region(controlPlane)
	zone := cmp.Or(shape.zone, r.flavor.zone(region))
	labels := r.flavor.nodeLabels(cmp.Or(shape.name, subject.GetName()))
	maps.Copy(labels, shape.labels)
	pool := nodes.Pool{
		Name: subject.GetName(), Replicas: int(replicas), MachineType: shape.machineType, Machine: machine,
		Region: region, Zone: zone, Labels: labels, Taints: shape.taints, KubeletVersion: version,
		ProviderIDPrefix: r.flavor.providerIDPrefix(controlPlane, zone),
	}
	if machine.GPU != nil {
		pool.DriverVersion = shape.driverVersion
	}
	return pool, nil
}

// admits checks a number of nodes against the limits of the pool's autoscaler,
// which a cloud enforces on every change.
func (s shape) admits(replicas int64) error {
	if s.minimum != nil && replicas < *s.minimum || s.maximum != nil && replicas > *s.maximum {
		return Refuse("InvalidScaling", "%d nodes are not within the pool's limits of %s to %s", replicas, limit(s.minimum), limit(s.maximum))
	}
	return nil
}

func limit(value *int64) string {
	if value == nil {
		return "any"
	}
	return fmt.Sprint(*value)
}

// clusterGoneTimeout is how long a pool of a cluster that is being deleted waits
// for an API server that may never answer again. Its nodes go with it anyway.
const clusterGoneTimeout = 5 * time.Second

func (r *poolReconciler) remove(ctx context.Context, subject *subject) error {
	if subject.cluster == nil {
		return nil
	}
	goingAway := subject.cluster.DeletionTimestamp != nil
	if goingAway {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, clusterGoneTimeout)
		defer cancel()
	}
	err := r.removeNodes(ctx, subject)
	if errors.Is(err, errNoKubeconfig) || goingAway && !errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

func (r *poolReconciler) removeNodes(ctx context.Context, subject *subject) error {
	config, err := r.connect(ctx, client.ObjectKeyFromObject(subject.cluster))
	if err != nil {
		return err
	}
	if err := nodes.Remove(ctx, config, subject.GetName()); err != nil {
		return fmt.Errorf("remove nodes: %w", err)
	}
	return nil
}
