package activities_test

import (
	"context"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/inventory"
	"github.com/meridian-fleet/meridian/internal/sandbox/boxtest"
	"github.com/meridian-fleet/meridian/workflows"
	"github.com/meridian-fleet/meridian/workflows/activities"
)

// oneConfig is access to one cluster, of whatever name.
type oneConfig struct{ config *rest.Config }

func (c oneConfig) RESTConfig(_ context.Context, cluster string) (*rest.Config, error) {
	if cluster == "gone" {
		return nil, fleet.Errorf(fleet.ErrUnavailable, "it does not answer")
	}
	return c.config, nil
}

func TestDiscoverPlacements(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	config := boxtest.Start(t, 1)[0]
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	populate(f, client)
	f.Holder = activities.ClusterHoldings{Credentials: oneConfig{config}}
	f.ready("one", "gone")

	summary, err := f.DiscoverPlacements(f.ctx, workflows.DriftInput{})
	if err != nil || summary.Looked != 1 || summary.Placements != 3 || summary.Unreachable["gone"] == "" {
		t.Fatalf("%+v, %v", summary, err)
	}
	found := f.placements()
	claim := found["one/PersistentVolumeClaim/shop/orders"]
	if claim.Subject != (fleet.Ref{Kind: fleet.KindDataset, Name: "orders"}) || len(claim.Classes) != 2 || !claim.GeoRedundant ||
		claim.Facets[0] != fleet.FacetStorage || claim.Region != region || claim.Source != fleet.SourceObserved {
		t.Errorf("claim %+v", claim)
	}
	if since, err := time.Parse(time.RFC3339, claim.From); err != nil || time.Since(since) > time.Hour {
		t.Errorf("since %q", claim.From)
	}
	pods := found["one/Pods/shop/-/checkout/payments.in"]
	if pods.Subject != (fleet.Ref{Kind: fleet.KindWorkload, Name: "checkout"}) || pods.Facets[0] != fleet.FacetProcessing {
		t.Errorf("pods %+v", pods)
	}
	if _, ok := found["one/Pods/shop/customers/-/"]; ok || found["one/Pods/shop/customers/-"].Subject.Name != "customers" {
		t.Errorf("a pod that only names its dataset: %+v", found)
	}

	if err := client.CoreV1().PersistentVolumeClaims("shop").Delete(f.ctx, "orders", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	// What is being deleted still holds data: it counts until it is gone.
	if summary, err = f.DiscoverPlacements(f.ctx, workflows.DriftInput{Clusters: []string{"one"}}); err != nil || summary.Placements != 3 {
		t.Errorf("while it is deleted: %+v, %v", summary, err)
	}
	_, err = client.CoreV1().PersistentVolumeClaims("shop").Patch(f.ctx, "orders", types.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`), metav1.PatchOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(30 * time.Second); ; {
		summary, err = f.DiscoverPlacements(f.ctx, workflows.DriftInput{Clusters: []string{"one"}})
		if err != nil || time.Now().After(deadline) {
			t.Fatalf("the claim is still there: %+v, %v", summary, err)
		}
		if summary.Placements == 2 {
			break
		}
	}
	history, err := f.store.History(f.ctx, fleet.Ref{Kind: fleet.KindPlacement, Name: "one/PersistentVolumeClaim/shop/orders"})
	if err != nil || len(history) != 2 || history[1].Action != "deleted" {
		t.Errorf("history %+v, %v", history, err)
	}
}

// What the API server judges is what is found: also by the keys of further
// classes alone, and volumes somebody made by hand.
func TestDiscoveryFindsWhatAdmissionJudges(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	config := boxtest.Start(t, 1)[0]
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	f.Holder = activities.ClusterHoldings{Credentials: oneConfig{config}}
	f.ready("one")
	f.account(client, "default")
	further := map[string]string{"meridian.dev/data-class.2": "payments.in"}
	alike := map[string]string{"meridian.dev/data-classes": "payments.in", "meridian.dev/data": "none", "team": "a"}
	for name, labels := range map[string]map[string]string{"further": further, "alike": alike, "ended": {"meridian.dev/workload": "batch"}} {
		f.create(client.CoreV1().Pods("default").Create(f.ctx, pausing(name, labels), metav1.CreateOptions{}))
		f.create(client.CoreV1().PersistentVolumeClaims("default").Create(f.ctx, gigabyte(name, labels), metav1.CreateOptions{}))
		f.create(client.CoreV1().PersistentVolumes().Create(f.ctx, handMade(name, labels), metav1.CreateOptions{}))
	}
	ended := []byte(`{"status":{"phase":"Succeeded"}}`)
	f.create(client.CoreV1().Pods("default").Patch(f.ctx, "ended", types.MergePatchType, ended, metav1.PatchOptions{}, "status"))

	summary, err := f.DiscoverPlacements(f.ctx, workflows.DriftInput{})
	if err != nil || summary.Placements != 5 {
		t.Errorf("%+v, %v", summary, err)
	}
	found := f.placements()
	for name, facet := range map[string]fleet.Facet{
		"one/Pods/default/-/-/payments.in": fleet.FacetProcessing, "one/PersistentVolumeClaim/default/further": fleet.FacetStorage,
		"one/PersistentVolume/further": fleet.FacetStorage,
	} {
		if one := found[name]; len(one.Classes) != 1 || one.Classes[0] != "payments.in" || one.Facets[0] != facet || one.Region != region {
			t.Errorf("%s: %+v", name, one)
		}
	}
	if found["one/PersistentVolume/ended"].Subject.Name != "batch" {
		t.Errorf("found %+v", found)
	}
}

// create fails the test when something could not be made.
func (f *fixture) create(_ any, err error) {
	f.Helper()
	if err != nil {
		f.Fatal(err)
	}
}

// account makes the account that pods of a namespace need, unless the
// cluster's own controller was faster.
func (f *fixture) account(client kubernetes.Interface, namespace string) {
	f.Helper()
	_, err := client.CoreV1().ServiceAccounts(namespace).Create(f.ctx, &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "default"}}, metav1.CreateOptions{})
	if err != nil && !apierrors.IsAlreadyExists(err) {
		f.Fatal(err)
	}
}

func pausing(name string, labels map[string]string) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "main", Image: "registry.k8s.io/pause:3.10"}}},
	}
}

func gigabyte(name string, labels map[string]string) *corev1.PersistentVolumeClaim {
	none := ""
	return &corev1.PersistentVolumeClaim{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels},
		Spec: corev1.PersistentVolumeClaimSpec{
			StorageClassName: &none, AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
			Resources: corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Gi")}},
		},
	}
}

func handMade(name string, labels map[string]string) *corev1.PersistentVolume {
	return &corev1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels},
		Spec: corev1.PersistentVolumeSpec{
			Capacity:               corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Mi")}, // too small to be bound
			AccessModes:            []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
			PersistentVolumeSource: corev1.PersistentVolumeSource{NFS: &corev1.NFSVolumeSource{Server: "files.example.com", Path: "/"}},
		},
	}
}

func (f *fixture) placements() map[string]fleet.PlacementSpec {
	f.Helper()
	resources, err := f.store.List(f.ctx, fleet.KindPlacement, inventory.Query{Owner: "one"})
	if err != nil {
		f.Fatal(err)
	}
	found := map[string]fleet.PlacementSpec{}
	for _, one := range resources {
		if found[one.Metadata.Name], err = fleet.SpecOf[fleet.PlacementSpec](one); err != nil {
			f.Fatal(err)
		}
	}
	return found
}

// populate makes a namespace with labelled pods and a volume claim, and one
// pod without any label of ours.
func populate(f *fixture, client kubernetes.Interface) {
	f.Helper()
	f.create(client.CoreV1().Namespaces().Create(f.ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "shop"}}, metav1.CreateOptions{}))
	f.account(client, "shop")
	geo := "geo"
	f.create(client.StorageV1().StorageClasses().Create(f.ctx, &storagev1.StorageClass{
		ObjectMeta: metav1.ObjectMeta{Name: geo}, Provisioner: "file.csi.azure.com", Parameters: map[string]string{"skuName": "Standard_GRS"},
	}, metav1.CreateOptions{}))
	f.create(client.CoreV1().PersistentVolumeClaims("shop").Create(f.ctx, &corev1.PersistentVolumeClaim{
		ObjectMeta: metav1.ObjectMeta{Name: "orders", Labels: map[string]string{
			"meridian.dev/dataset": "orders", "meridian.dev/data-class": "personal.eu", "meridian.dev/data-class.2": "payments.in",
		}},
		Spec: corev1.PersistentVolumeClaimSpec{
			StorageClassName: &geo, AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
			Resources: corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Gi")}},
		},
	}, metav1.CreateOptions{}))
	checkout := map[string]string{"meridian.dev/workload": "checkout", "meridian.dev/data-class": "payments.in"}
	for name, labels := range map[string]map[string]string{"checkout-1": checkout, "checkout-2": checkout, "customers": {"meridian.dev/dataset": "customers"}, "plain": nil} {
		f.create(client.CoreV1().Pods("shop").Create(f.ctx, pausing(name, labels), metav1.CreateOptions{}))
	}
}

// holding is what a cluster has, as a test says.
type holding struct{ has activities.Holdings }

func (h *holding) Holdings(context.Context, string) (activities.Holdings, error) { return h.has, nil }

// Pods that follow each other are one placement, since the first of them: its
// history has no change for every restart.
func TestSuccessorsOfPodsMakeNoNewPlacement(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.ready("one")
	cluster := &holding{}
	f.Holder = cluster
	began := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for restart := range 5 {
		cluster.has.Pods = nil
		for replica := range 2 {
			cluster.has.Pods = append(cluster.has.Pods, corev1.Pod{ObjectMeta: metav1.ObjectMeta{
				Namespace: "shop", Name: "web", Labels: map[string]string{"meridian.dev/data-class": "payments.in", "meridian.dev/workload": "checkout"},
				CreationTimestamp: metav1.NewTime(began.Add(time.Duration(restart+replica) * time.Hour)),
			}})
		}
		if _, err := f.DiscoverPlacements(f.ctx, workflows.DriftInput{}); err != nil {
			t.Fatal(err)
		}
	}
	const name = "one/Pods/shop/-/checkout/payments.in"
	if found := f.placements()[name]; found.From != "2026-03-01T12:00:00Z" {
		t.Errorf("since %q", found.From)
	}
	history, err := f.store.History(f.ctx, fleet.Ref{Kind: fleet.KindPlacement, Name: name})
	if err != nil || len(history) != 1 {
		t.Errorf("%d changes, %v", len(history), err)
	}

	cluster.has.Pods = nil
	if _, err := f.DiscoverPlacements(f.ctx, workflows.DriftInput{}); err != nil || len(f.placements()) != 0 {
		t.Errorf("without pods: %+v, %v", f.placements(), err)
	}
	cluster.has.Pods = []corev1.Pod{{ObjectMeta: metav1.ObjectMeta{
		Namespace: "shop", Labels: map[string]string{"meridian.dev/data-class": "payments.in", "meridian.dev/workload": "checkout"}, CreationTimestamp: metav1.NewTime(began.Add(24 * time.Hour)),
	}}}
	if _, err := f.DiscoverPlacements(f.ctx, workflows.DriftInput{}); err != nil || f.placements()[name].From != "2026-03-02T12:00:00Z" {
		t.Errorf("after a time without pods: %+v, %v", f.placements(), err)
	}
}
