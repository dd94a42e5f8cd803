package capi

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

var (
	clusterResource = clusterv1.GroupVersion.WithResource("clusters")
	poolResource    = clusterv1.GroupVersion.WithResource("machinepools")
)

// WaitReady waits until Cluster API reports a cluster ready: control plane up
// and answering, and every machine pool with all its nodes. onProgress is told
// what it waits for, each time that changes. A failure the provider calls
// final is ErrNeedsHuman.
func (m *Management) WaitReady(ctx context.Context, cluster string, onProgress func(text string)) error {
	if _, err := m.cluster(ctx, cluster); err != nil {
		return err
	}
	last := ""
	say := func(text string) {
		if text != last {
			last = text
			onProgress(text)
		}
	}
	trouble := func(err error) {
		if kindOf(err) == fleet.ErrUnavailable && !errors.Is(err, io.EOF) && !apierrors.IsResourceExpired(err) {
			say("the management cluster does not answer: " + err.Error())
		}
	}
	return m.follow(ctx, clusterSelections(cluster), trouble, func(found [][]*unstructured.Unstructured) (bool, error) {
		verdict, err := judgeFound(cluster, found)
		switch {
		case err != nil:
			return false, err
		case verdict.failed != "":
			return false, fleet.Errorf(fleet.ErrNeedsHuman, "the provider gave up: %s", verdict.failed).On("Cluster " + cluster)
		case !verdict.ready:
			say(verdict.waiting)
		}
		return verdict.ready, nil
	})
}

func clusterSelections(cluster string) []selection {
	return []selection{
		{clusterResource, metav1.ListOptions{FieldSelector: "metadata.name=" + cluster}},
		{poolResource, metav1.ListOptions{LabelSelector: clusterLabel + "=" + cluster}},
	}
}

func judgeFound(name string, found [][]*unstructured.Unstructured) (verdict, error) {
	if len(found[0]) == 0 {
		return verdict{}, fleet.Errorf(fleet.ErrNotFound, "is gone from the management cluster").On("Cluster " + name)
	}
	var cluster clusterv1.Cluster
	if err := convert(found[0][0], &cluster); err != nil {
		return verdict{}, err
	}
	var pools []*clusterv1.MachinePool
	for _, object := range found[1] {
		var pool clusterv1.MachinePool
		if err := convert(object, &pool); err != nil {
			return verdict{}, err
		}
		pools = append(pools, &pool)
	}
	slices.SortFunc(pools, func(a, b *clusterv1.MachinePool) int { return strings.Compare(a.Name, b.Name) })
	return judge(&cluster, pools), nil
}

func convert(object *unstructured.Unstructured, to any) error {
	err := runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, to)
	if err != nil {
		return fleet.Errorf(fleet.ErrInternal, "read: %w", err).On(describe(object))
	}
	return nil
}

// cluster reads a Cluster object.
func (m *Management) cluster(ctx context.Context, name string) (*clusterv1.Cluster, error) {
	ctx, cancel := callTimeout(ctx)
	defer cancel()
	object, err := m.dynamic.Resource(clusterResource).Namespace(m.namespace).Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return nil, wrap(err, "read", "Cluster "+name)
	}
	var cluster clusterv1.Cluster
	return &cluster, convert(object, &cluster)
}
