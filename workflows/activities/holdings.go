package activities

import (
	"context"
	"errors"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/tools/pager"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// ClusterHoldings looks into clusters through their API servers.
type ClusterHoldings struct{ Credentials Credentials }

// Holdings implements Holder.
func (c ClusterHoldings) Holdings(ctx context.Context, cluster string) (Holdings, error) {
	config, err := c.Credentials.RESTConfig(ctx, cluster)
	if err != nil {
		return Holdings{}, err
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return Holdings{}, fleet.Errorf(fleet.ErrInvalid, "its kubeconfig: %w", err).On("Cluster " + cluster)
	}
	objects, err := metadata.NewForConfig(config)
	if err != nil {
		return Holdings{}, fleet.Errorf(fleet.ErrInvalid, "its kubeconfig: %w", err).On("Cluster " + cluster)
	}
	holdings, err := look(ctx, client, objects.Resource(corev1.SchemeGroupVersion.WithResource("pods")))
	if err != nil {
		return Holdings{}, fleet.Errorf(fleet.ErrUnavailable, "what data it holds could not be read: %w", err).On("Cluster " + cluster)
	}
	return holdings, nil
}

// running selects pods that have not ended.
const running = "status.phase!=Succeeded,status.phase!=Failed"

// look reads everything and keeps what carries a label of ours: no selector
// finds keys by how they begin, as those of further classes do. Of pods, of
// which there are many, it reads the metadata.
func look(ctx context.Context, client kubernetes.Interface, pods metadata.Getter) (Holdings, error) {
	var found Holdings
	err := errors.Join(
		each(ctx, running, func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
			return pods.List(ctx, options)
		}, func(pod *metav1.PartialObjectMetadata) {
			found.Pods = append(found.Pods, corev1.Pod{ObjectMeta: pod.ObjectMeta})
		}),
		each(ctx, "", func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
			return client.CoreV1().PersistentVolumeClaims(metav1.NamespaceAll).List(ctx, options)
		}, func(claim *corev1.PersistentVolumeClaim) { found.Claims = append(found.Claims, *claim) }),
		each(ctx, "", func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
			return client.CoreV1().PersistentVolumes().List(ctx, options)
		}, func(volume *corev1.PersistentVolume) { found.Volumes = append(found.Volumes, *volume) }))
	if err != nil {
		return found, err
	}
	classes, err := client.StorageV1().StorageClasses().List(ctx, metav1.ListOptions{})
	if err == nil {
		found.Classes = classes.Items
	}
	return found, err
}

// each hands over what is labelled of a list, which it reads in pages.
func each[T metav1.Object](ctx context.Context, fields string, list pager.ListPageFunc, keep func(T)) error {
	return pager.New(list).EachListItem(ctx, metav1.ListOptions{FieldSelector: fields}, func(item runtime.Object) error {
		object, ok := item.(T)
		if !ok {
			return fleet.Errorf(fleet.ErrInternal, "a list of %T has a %T", object, item)
		}
		if ours(object.GetLabels()) {
			keep(object)
		}
		return nil
	})
}
