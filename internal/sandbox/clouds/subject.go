package clouds

import (
	"context"
	"errors"
	"reflect"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"
	"sigs.k8s.io/cluster-api/util/annotations"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
)

// finalizer keeps an object until what it stands for is gone.
const finalizer = "sandbox.meridian.dev/cloud"

// subject is an object under reconciliation: changed in memory, and written
// back once, when the step is done.
type subject struct {
	*unstructured.Unstructured
	read    *unstructured.Unstructured // as it was read
	cluster *clusterv1.Cluster         // it belongs to; nil when that is gone
}

// steps is what one kind of object needs done.
type steps interface {
	// create makes what the object says, and says so in its status.
	create(ctx context.Context, subject *subject) error
	// remove deletes what create made.
	remove(ctx context.Context, subject *subject) error
}

// run reconciles one object: it belongs to a cluster, is not paused, keeps a
// finalizer while anything exists, and its Ready condition says how it went.
func (r *reconciler) run(ctx context.Context, kind schema.GroupVersionKind, request ctrl.Request, steps steps) (ctrl.Result, error) {
	object := newObject(kind)
	if err := r.Get(ctx, request.NamespacedName, object); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	subject := &subject{Unstructured: object, read: object.DeepCopy()}
	if err := r.findCluster(ctx, subject); err != nil {
		return ctrl.Result{}, err
	}
	if object.GetDeletionTimestamp() != nil {
		return ctrl.Result{}, r.runRemove(ctx, subject, steps)
	}
	// Cluster API adopts the object when the cluster may use it.
	if subject.cluster == nil || len(object.GetOwnerReferences()) == 0 || annotations.IsPaused(subject.cluster, object) {
		return ctrl.Result{}, nil
	}
	if controllerutil.AddFinalizer(object, finalizer) {
		// It must be there before anything is made.
		if err := r.write(ctx, subject); err != nil {
			return ctrl.Result{}, err
		}
	}
	err := steps.create(ctx, subject)
	subject.setReady(err)
	return ctrl.Result{}, errors.Join(retryable(err), r.write(ctx, subject))
}

func (r *reconciler) runRemove(ctx context.Context, subject *subject, steps steps) error {
	if !controllerutil.ContainsFinalizer(subject, finalizer) {
		return nil
	}
	if err := steps.remove(ctx, subject); err != nil {
		subject.setReady(err)
		return errors.Join(retryable(err), r.write(ctx, subject))
	}
	controllerutil.RemoveFinalizer(subject, finalizer)
	return client.IgnoreNotFound(r.write(ctx, subject))
}

func (r *reconciler) findCluster(ctx context.Context, subject *subject) error {
	name := subject.GetLabels()[clusterv1.ClusterNameLabel]
	if name == "" {
		return nil
	}
	cluster := &clusterv1.Cluster{}
	err := r.Get(ctx, client.ObjectKey{Namespace: subject.GetNamespace(), Name: name}, cluster)
	if err != nil {
		return client.IgnoreNotFound(err)
	}
	subject.cluster = cluster
	return nil
}

// write sends what changed: the object first, then its status.
func (r *reconciler) write(ctx context.Context, subject *subject) error {
	changed := subject.DeepCopy()
	if !reflect.DeepEqual(withoutStatus(changed), withoutStatus(subject.read)) {
		if err := r.Patch(ctx, subject.Unstructured, client.MergeFrom(subject.read)); err != nil {
			return err
		}
		subject.read = subject.DeepCopy()
		if len(subject.GetFinalizers()) == 0 && subject.GetDeletionTimestamp() != nil {
			return nil // gone with its last finalizer
		}
	}
	subject.Object["status"] = changed.Object["status"]
	if reflect.DeepEqual(subject.Object["status"], subject.read.Object["status"]) {
		return nil
	}
	if err := r.Status().Patch(ctx, subject.Unstructured, client.MergeFrom(subject.read)); err != nil {
		return err
	}
	subject.read = subject.DeepCopy()
	return nil
}

func withoutStatus(object *unstructured.Unstructured) map[string]any {
	rest := map[string]any{}
	for key, value := range object.Object {
		if key != "status" {
			rest[key] = value
		}
	}
	return rest
}

// setReady writes the Ready condition, as Cluster API's v1beta1 contract has it.
func (s *subject) setReady(err error) {
	status, severity, reason, message := readiness(err)
	condition := map[string]any{"type": "Ready", "status": status, "lastTransitionTime": time.Now().UTC().Format(time.RFC3339)}
	for key, value := range map[string]string{"severity": severity, "reason": reason, "message": message} {
		if value != "" {
			condition[key] = value
		}
	}
	var conditions []any
	for _, present := range objects(s.Object, "status", "conditions") {
		if text(present, "type") != "Ready" {
			conditions = append(conditions, present)
			continue
		}
		if text(present, "status") == status {
			condition["lastTransitionTime"] = text(present, "lastTransitionTime")
		}
	}
	set(s.Object, append(conditions, condition), "status", "conditions")
	if _, said, _ := unstructured.NestedBool(s.Object, "status", "ready"); !said {
		set(s.Object, false, "status", "ready") // some of the schemas require it
	}
}

func newObject(kind schema.GroupVersionKind) *unstructured.Unstructured {
	object := &unstructured.Unstructured{}
	object.SetGroupVersionKind(kind)
	return object
}
