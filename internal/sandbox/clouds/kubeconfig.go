package clouds

import (
	"context"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/utils/ptr"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"
	"sigs.k8s.io/cluster-api/util/secret"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
)

// writeKubeconfig keeps the Secret by which Cluster API and its users find a
// cluster's credentials. The control plane owns it, so that it goes with it.
func (r *reconciler) writeKubeconfig(ctx context.Context, subject *subject, kubeconfig []byte) error {
	stored := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{
		Namespace: subject.GetNamespace(), Name: secret.Name(subject.cluster.Name, secret.Kubeconfig),
	}}
	_, err := controllerutil.CreateOrUpdate(ctx, r, stored, func() error {
		if stored.CreationTimestamp.IsZero() {
			stored.Type = clusterv1.ClusterSecretType // cannot be changed
		}
		if stored.Labels == nil {
			stored.Labels = map[string]string{}
		}
		stored.Labels[clusterv1.ClusterNameLabel] = subject.cluster.Name
		stored.OwnerReferences = []metav1.OwnerReference{{
			APIVersion: subject.GetAPIVersion(), Kind: subject.GetKind(), Name: subject.GetName(), UID: subject.GetUID(),
			Controller: ptr.To(true),
		}}
		stored.Data = map[string][]byte{secret.KubeconfigDataName: kubeconfig}
		return nil
	})
	return err
}

var errNoKubeconfig = errors.New("the cluster has no kubeconfig")

// connect reads a cluster's kubeconfig Secret.
func (r *reconciler) connect(ctx context.Context, cluster client.ObjectKey) (*rest.Config, error) {
	stored := &corev1.Secret{}
	key := client.ObjectKey{Namespace: cluster.Namespace, Name: secret.Name(cluster.Name, secret.Kubeconfig)}
	if err := r.Get(ctx, key, stored); err != nil {
		if apierrors.IsNotFound(err) {
			return nil, errNoKubeconfig
		}
		return nil, fmt.Errorf("kubeconfig Secret: %w", err)
	}
	return clientcmd.RESTConfigFromKubeConfig(stored.Data[secret.KubeconfigDataName])
}
