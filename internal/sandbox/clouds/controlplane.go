package clouds

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"

	"k8s.io/client-go/tools/clientcmd"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"
	ctrl "sigs.k8s.io/controller-runtime"
)

// controlPlaneReconciler makes the managed control planes of a flavour: a real
// one each, its kubeconfig Secret and its endpoint.
type controlPlaneReconciler struct {
	reconciler
	controlPlanes ControlPlanes
}

// Starting a control plane takes seconds, most of them waiting.
const controlPlaneWorkers = 32

func (r *controlPlaneReconciler) add(manager ctrl.Manager) error {
	return ctrl.NewControllerManagedBy(manager).
		Named("sandbox-" + r.flavor.name + "-control-plane").
		For(newObject(r.flavor.controlPlane)).
		WithOptions(options(controlPlaneWorkers)).
		Complete(r)
}

func (r *controlPlaneReconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	return r.run(ctx, r.flavor.controlPlane, request, r)
}

// controlPlaneName names a subject's control plane by its Cluster. Two namespaces
// may each have one of that name, so both are in it; a namespace has no dot.
func controlPlaneName(subject *subject) string {
	return subject.GetNamespace() + "." + subject.GetLabels()[clusterv1.ClusterNameLabel]
}

func (r *controlPlaneReconciler) create(ctx context.Context, subject *subject) error {
	if err := r.flavor.check(subject.Unstructured); err != nil {
		return err
	}
	present := text(subject.Object, "status", "version")
	version, err := upgrade(present, text(subject.Object, "spec", "version"))
	if err != nil {
		return err
	}
	if err := r.announce(ctx, subject, present, version); err != nil {
		return err
	}
	kubeconfig, err := r.ensure(ctx, subject, present, version)
	if err != nil {
		return fmt.Errorf("control plane: %w", err)
	}
	host, port, err := endpointOf(kubeconfig)
	if err != nil {
		return err
	}
	// Cluster API connects as soon as it sees the endpoint, so the Secret is first.
	if err := r.writeKubeconfig(ctx, subject, kubeconfig); err != nil {
		return fmt.Errorf("kubeconfig Secret: %w", err)
	}
	set(subject.Object, map[string]any{"host": host, "port": port}, r.flavor.endpoint...)
	for field, value := range r.flavor.extraStatus {
		set(subject.Object, value, "status", field)
	}
	set(subject.Object, version, "status", "version")
	set(subject.Object, true, "status", "initialized")
	set(subject.Object, true, "status", "ready")
	return nil
}

// announce says in the Ready condition what is about to take a while.
func (r *controlPlaneReconciler) announce(ctx context.Context, subject *subject, present, version string) error {
	switch present {
	case version:
		return nil
	case "":
		subject.setReady(waitFor("Creating", "the control plane is starting"))
	default:
		subject.setReady(waitFor("Updating", "the control plane goes from %s to %s", present, version))
	}
	return r.write(ctx, subject)
}

// ensure makes the control plane serve a version. If that cannot be had, the one
// it served before is kept, as a cloud does that refuses an upgrade.
func (r *controlPlaneReconciler) ensure(ctx context.Context, subject *subject, present, version string) ([]byte, error) {
	name := controlPlaneName(subject)
	kubeconfig, err := r.controlPlanes.Ensure(ctx, name, version)
	var refused *refusal
	if present == "" || !errors.As(err, &refused) {
		return kubeconfig, err
	}
	if _, restoreErr := r.controlPlanes.Ensure(ctx, name, present); restoreErr != nil {
		return nil, restoreErr
	}
	return nil, err
}

func (r *controlPlaneReconciler) remove(ctx context.Context, subject *subject) error {
	if err := r.controlPlanes.Remove(ctx, controlPlaneName(subject)); err != nil {
		return fmt.Errorf("remove control plane: %w", err)
	}
	return nil
}

// endpointOf reads where a kubeconfig's API server is.
func endpointOf(kubeconfig []byte) (host string, port int64, err error) {
	config, err := clientcmd.RESTConfigFromKubeConfig(kubeconfig)
	if err != nil {
		return "", 0, err
	}
	address, err := url.Parse(config.Host)
	if err != nil {
		return "", 0, err
	}
	host, digits, err := net.SplitHostPort(address.Host)
	if err != nil {
		return "", 0, err
	}
	port, err = strconv.ParseInt(digits, 10, 32)
	return host, port, err
}
