package nodes

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// atOnce bounds the nodes that are written concurrently.
const atOnce = 8

// Ensure makes the nodes of a pool what it says: missing ones are made, changed
// ones updated, machines of another kind replaced, and those beyond its size
// removed. It returns their provider IDs, in the order of the nodes.
func Ensure(ctx context.Context, config *rest.Config, pool Pool) (providerIDs []string, err error) {
	if err := pool.check(); err != nil {
		return nil, err
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, fleet.Errorf(fleet.ErrInvalid, "client: %w", err)
	}
	existing, err := list(ctx, client, pool.Name)
	if err != nil {
		return nil, err
	}
	writing, ctx := errgroup.WithContext(ctx)
	writing.SetLimit(atOnce)
	for index := range pool.Replicas {
		wanted := pool.node(index)
		providerIDs = append(providerIDs, wanted.Spec.ProviderID)
		current := existing[wanted.Name]
		delete(existing, wanted.Name)
		writing.Go(func() error { return ensureNode(ctx, client, pool, wanted, current) })
	}
	for name := range existing {
		writing.Go(func() error { return remove(ctx, client, name) })
	}
	if err := writing.Wait(); err != nil {
		return nil, unavailable(pool.Name, err)
	}
	return providerIDs, nil
}

// Remove deletes the nodes of a pool; what they own goes with them.
func Remove(ctx context.Context, config *rest.Config, pool string) error {
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return fleet.Errorf(fleet.ErrInvalid, "client: %w", err)
	}
	err = client.CoreV1().Nodes().DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{LabelSelector: PoolLabel + "=" + pool})
	if err != nil {
		return unavailable(pool, err)
	}
	return nil
}

func unavailable(pool string, err error) error {
	return fleet.Errorf(fleet.ErrUnavailable, "%w", err).On("node pool " + pool)
}

func list(ctx context.Context, client kubernetes.Interface, pool string) (map[string]*corev1.Node, error) {
	found, err := client.CoreV1().Nodes().List(ctx, metav1.ListOptions{LabelSelector: PoolLabel + "=" + pool})
	if err != nil {
		return nil, unavailable(pool, err)
	}
	nodes := map[string]*corev1.Node{}
	for i := range found.Items {
		nodes[found.Items[i].Name] = &found.Items[i]
	}
	return nodes, nil
}

func ensureNode(ctx context.Context, client kubernetes.Interface, pool Pool, wanted, current *corev1.Node) error {
	node, err := writeNode(ctx, client, wanted, current)
	if err != nil {
		return fmt.Errorf("node %s: %w", wanted.Name, err)
	}
	if err := ensureSlice(ctx, client, pool, node); err != nil {
		return fmt.Errorf("GPUs of node %s: %w", wanted.Name, err)
	}
	return nil
}

func writeNode(ctx context.Context, client kubernetes.Interface, wanted, current *corev1.Node) (*corev1.Node, error) {
	if current != nil && otherMachine(current, wanted) {
		if err := remove(ctx, client, current.Name); err != nil {
			return nil, err
		}
		current = nil
	}
	if current == nil {
		return client.CoreV1().Nodes().Create(ctx, wanted, metav1.CreateOptions{})
	}
	return updateNode(ctx, client, wanted)
}

// ensureSlice writes the ResourceSlice of a node with GPUs. An API server of a
// version that has no such kind does without.
func ensureSlice(ctx context.Context, client kubernetes.Interface, pool Pool, node *corev1.Node) error {
	if pool.Machine.GPU == nil {
		return nil
	}
	wanted, err := pool.slice(node)
	if err != nil {
		return err
	}
	slices := client.ResourceV1().ResourceSlices()
	current, err := slices.Get(ctx, wanted.Name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		_, err = slices.Create(ctx, wanted, metav1.CreateOptions{})
		if apierrors.IsNotFound(err) {
			return nil
		}
		return err
	}
	if err != nil {
		return err
	}
	return replaceSlice(ctx, client, current, wanted)
}

func remove(ctx context.Context, client kubernetes.Interface, node string) error {
	err := client.CoreV1().Nodes().Delete(ctx, node, metav1.DeleteOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}
