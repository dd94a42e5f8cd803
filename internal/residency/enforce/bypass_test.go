package enforce_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Ways round the policies: each of these got classified data past them once.

var dryPatch = metav1.PatchOptions{DryRun: []string{metav1.DryRunAll}}

// testSubresources changes labels by way of what is not the object itself.
func testSubresources(c *cluster, open, data string) {
	made, err := c.kube.CoreV1().Pods(data).Create(c.Context(), pod(data, class("public")), metav1.CreateOptions{})
	if err != nil {
		c.Fatal(err)
	}
	patch := func(labels string, subresource string) (*corev1.Pod, error) {
		return c.kube.CoreV1().Pods(data).Patch(c.Context(), made.Name, types.MergePatchType, []byte(`{"metadata":{"labels":`+labels+`}}`), dryPatch, subresource)
	}
	status := func(labels string) func() error {
		return func() error { _, err := patch(labels, "status"); return err }
	}
	c.eventually("a denied class by the status", status(`{"meridian.dev/data-class":"payments.in"}`), refused("residency-labels", "meridian.dev/data-class"))
	c.eventually("a further class by the status", status(`{"meridian.dev/data-class.2":"payments.in"}`), refused("residency-labels", "meridian.dev/data-class.2"))
	c.eventually("no class by the status", status(`{"meridian.dev/data-class":null}`), refused("residency-labels"))
	c.eventually("another label by the status", status(`{"team":"a"}`), admitted)
	for _, subresource := range []string{"ephemeralcontainers", "resize"} {
		if changed, err := patch(`{"meridian.dev/data-class":"payments.in"}`, subresource); err == nil && changed.Labels["meridian.dev/data-class"] != "public" {
			c.Errorf("%s changes labels", subresource)
		}
	}
	for _, resource := range []string{"pods/" + made.Name + "/binding", "bindings"} {
		c.eventually("by "+resource, func() error { return c.bind(data, made.Name, resource, class("payments.in")) }, refused("residency-labels", "meridian.dev/data-class"))
		c.eventually("other labels by "+resource, func() error { return c.bind(data, made.Name, resource, map[string]string{"x": "y"}) }, admitted)
	}
	c.testVolumeStatus(open)
}

func (c *cluster) bind(namespace, name, resource string, labels map[string]string) error {
	return c.kube.CoreV1().RESTClient().Post().Namespace(namespace).Suffix(resource).Param("dryRun", metav1.DryRunAll).Body(&corev1.Binding{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: labels},
		Target:     corev1.ObjectReference{Kind: "Node", Name: "somewhere"},
	}).Do(c.Context()).Error()
}

// testServerSideApply makes what is allowed for a time: the server says when.
func testServerSideApply(c *cluster, open, _ string) {
	try := func(name string, created string) error {
		text := fmt.Sprintf(`{"apiVersion":"v1","kind":"Pod","metadata":{"name":"applied","labels":{"meridian.dev/data-class":%q}%s},"spec":{"containers":[{"name":"main","image":"example.com/main"}]}}`, name, created)
		_, err := c.kube.CoreV1().Pods(open).Patch(c.Context(), "applied", types.ApplyYAMLPatchType, []byte(text), metav1.PatchOptions{DryRun: dryPatch.DryRun, FieldManager: "test"})
		return err
	}
	c.eventually("while it is allowed", func() error { return try("soon", "") }, admitted)
	c.eventually("when it is over", func() error { return try("late", "") }, refused("allowed until"))
	c.eventually("when it is over, dated back", func() error { return try("late", `,"creationTimestamp":"2020-01-01T00:00:00Z"`) }, refused("allowed until"))
}

func (c *cluster) testVolumeStatus(namespace string) {
	c.Helper()
	wanted := claim(namespace, "", nil)
	claimed, err := c.kube.CoreV1().PersistentVolumeClaims(namespace).Create(c.Context(), wanted, metav1.CreateOptions{})
	if err != nil {
		c.Fatal(err)
	}
	volume, err := c.kube.CoreV1().PersistentVolumes().Create(c.Context(), volumeOf(nil, "", "topology.ebs.csi.aws.com/zone", "us-east-1a"), metav1.CreateOptions{})
	if err != nil {
		c.Fatal(err)
	}
	labels := []byte(`{"metadata":{"labels":{"meridian.dev/dataset":"ledger"}}}`)
	c.eventually("a claim's status", func() error {
		_, err := c.kube.CoreV1().PersistentVolumeClaims(namespace).Patch(c.Context(), claimed.Name, types.MergePatchType, labels, dryPatch, "status")
		return err
	}, refused("residency-labels", "meridian.dev/dataset"))
	c.eventually("a volume's status", func() error {
		_, err := c.kube.CoreV1().PersistentVolumes().Patch(c.Context(), volume.Name, types.MergePatchType, labels, dryPatch, "status")
		return err
	}, refused("residency-labels", "meridian.dev/dataset"))
}

// testLeftAlone wants data refused in the namespaces that are left alone, too.
func testLeftAlone(c *cluster, _, _ string) {
	for _, namespace := range []string{"kube-system", "guardrails-system"} {
		c.eventually("data in "+namespace, func() error { return c.tryPod(namespace, class("payments.in")) }, refused("residency-pods-left-alone", denialOfPayments))
		c.eventually("a volume in "+namespace, func() error { return c.tryClaim(namespace, "gp3", class("payments.in")) }, refused(denialOfPayments))
		c.eventually("allowed data in "+namespace, func() error { return c.tryPod(namespace, class("personal.eu")) }, admitted)
		c.eventually("no data in "+namespace, func() error { return c.tryClaim(namespace, "elsewhere", nil) }, admitted)
	}
}

// volumeOf is a volume somebody made by hand.
func volumeOf(labels map[string]string, storageClass, key string, values ...string) *corev1.PersistentVolume {
	volume := &corev1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "probe-", Labels: labels},
		Spec: corev1.PersistentVolumeSpec{
			Capacity: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Gi")}, StorageClassName: storageClass,
			AccessModes:            []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
			PersistentVolumeSource: corev1.PersistentVolumeSource{NFS: &corev1.NFSVolumeSource{Server: "files.example.com", Path: "/"}},
		},
	}
	if key != "" {
		volume.Spec.NodeAffinity = &corev1.VolumeNodeAffinity{Required: &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{{
			MatchExpressions: []corev1.NodeSelectorRequirement{{Key: key, Operator: corev1.NodeSelectorOpIn, Values: values}},
		}}}}
	}
	return volume
}

// testHandMadeVolumes offers volumes without labels to claims with some: the
// controller binds what has the claim's storage class.
func testHandMadeVolumes(c *cluster, _, _ string) {
	zone := "topology.ebs.csi.aws.com/zone"
	try := func(storageClass, key string, values ...string) func() error {
		return func() error {
			_, err := c.kube.CoreV1().PersistentVolumes().Create(c.Context(), volumeOf(nil, storageClass, key, values...), dryRun)
			return err
		}
	}
	c.eventually("anywhere", try("meridian-regional", ""), refused("residency-volumes", "a volume of the storage class meridian-regional says by its node affinity"))
	c.eventually("elsewhere", try("gp3", zone, "us-east-1a"), refused("a volume of the storage class gp3"))
	c.eventually("here", try("meridian-regional", zone, "eu-central-1b"), admitted)
	c.eventually("of another class", try("elsewhere", zone, "us-east-1a"), admitted)
	made, err := c.kube.CoreV1().PersistentVolumes().Create(c.Context(), volumeOf(nil, "elsewhere", zone, "us-east-1a"), metav1.CreateOptions{})
	if err != nil {
		c.Fatal(err)
	}
	c.eventually("given the class later", func() error {
		_, err := c.kube.CoreV1().PersistentVolumes().Patch(c.Context(), made.Name, types.MergePatchType, []byte(`{"spec":{"storageClassName":"gp3"}}`), dryPatch)
		return err
	}, refused("a volume of the storage class gp3"))
}

// A node's reports go on while the parameters are not there.
func TestStatusWithoutParameters(t *testing.T) {
	t.Parallel()
	c := startCluster(t)
	open := c.namespace("open", nil)
	made, err := c.kube.CoreV1().Pods(open).Create(t.Context(), pod(open, class("personal.eu")), metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	c.apply(admissionPolicies(t))
	c.eventually("no new pods", func() error { return c.tryPod(open, nil) }, refused("no params found"))
	report := []byte(`{"status":{"conditions":[{"type":"Ready","status":"True"}]}}`)
	if _, err := c.kube.CoreV1().Pods(open).Patch(context.WithoutCancel(t.Context()), made.Name, types.StrategicMergePatchType, report, metav1.PatchOptions{}, "status"); err != nil {
		t.Errorf("a node's report: %v", err)
	}
	c.eventually("but no labels with it", func() error {
		_, err := c.kube.CoreV1().Pods(open).Patch(t.Context(), made.Name, types.MergePatchType, []byte(`{"metadata":{"labels":{"meridian.dev/data-class":"payments.in"}}}`), dryPatch, "status")
		return err
	}, refused("residency-labels"))
	c.eventually("what keeps the cluster alive starts", func() error { return c.tryPod("kube-system", nil) }, func(err error) bool {
		return err == nil || !strings.Contains(err.Error(), "residency")
	})
}

// testReleases changes templates of older objects: what says which data it is
// is judged, and the rest is nobody's business.
func testReleases(c *cluster, open, _ string) {
	labels := func(release, class string) map[string]string {
		return map[string]string{"app": "shop", "release": release, "meridian.dev/data-class": class}
	}
	deployment := &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: "shop", Namespace: open},
		Spec: appsv1.DeploymentSpec{
			Replicas: new(int32), Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "shop"}},
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels("1", "soon")}, Spec: pod(open, nil).Spec},
		},
	}
	if _, err := c.kube.AppsV1().Deployments(open).Create(c.Context(), deployment, metav1.CreateOptions{}); err != nil {
		c.Fatal(err)
	}
	release := func(labels map[string]string) func() error {
		return func() error {
			text, err := json.Marshal(map[string]any{"spec": map[string]any{"template": map[string]any{"metadata": map[string]any{"labels": labels}}}})
			if err != nil {
				return err
			}
			_, err = c.kube.AppsV1().Deployments(open).Patch(c.Context(), "shop", types.MergePatchType, text, dryPatch)
			return err
		}
	}
	c.eventually("another release of what is allowed for a time", release(labels("2", "soon")), admitted)
	c.eventually("another class", release(labels("2", "payments.in")), refused("residency-workloads", denialOfPayments))
	c.eventually("another class for a time", release(labels("2", "late")), refused("allowed until"))
}
