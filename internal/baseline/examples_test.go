package baseline

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	quantity "k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meridian-fleet/meridian/internal/sandbox/boxtest"
	"github.com/meridian-fleet/meridian/internal/sandbox/machinetypes"
	"github.com/meridian-fleet/meridian/internal/sandbox/nodes"
)

const examples = "../../deploy/examples/baselines"

func example(t *testing.T, version string) *Bundle {
	t.Helper()
	bundle, err := LoadDir(filepath.Join(examples, "platform-"+version))
	if err != nil {
		t.Fatal(err)
	}
	return bundle
}

// factsIn are those of a cluster of a profile in a region.
func factsIn(provider, region, country string, gpus int) Facts {
	return Facts{
		Provider: provider,
		Region:   map[string]any{"name": provider + "/" + region, "id": region, "country": country},
		Cluster:  map[string]any{"name": provider + "-" + region, "gpus": gpus, "kubernetesVersion": "1.36.3"},
		Generated: map[string][]json.RawMessage{"residency": {
			json.RawMessage(`{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"residency-system"}}`),
			json.RawMessage(`{"apiVersion":"v1","kind":"ConfigMap","metadata":{"namespace":"residency-system","name":"residency"},"data":{
				"region":"` + provider + "/" + region + `","unlabelled":"admitted",
				"processing.class.personal.eu":"allowed","processing.class.payments.in":"denied by rbi/only-india: payments stay in India"}}`),
		}},
	}
}

func TestExamplesPerCluster(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name       string
		facts      Facts
		components []string
		driver     bool
		registries string
	}{
		{"gpu cluster", factsIn("aws", "eu-central-1", "DE", 8), []string{"guardrails", "residency-parameters", "residency", "gpu-driver", "scheduler"}, true, ",public.ecr.aws/"},
		{"driver by the cloud", factsIn("gcp", "asia-southeast1", "SG", 8), []string{"guardrails", "residency-parameters", "residency", "gpu-driver", "scheduler"}, false, ",asia-southeast1-docker.pkg.dev/"},
		{"no gpus", factsIn("azure", "centralindia", "IN", 0), []string{"guardrails", "residency-parameters", "residency", "scheduler"}, false, ",mcr.microsoft.com/"},
		{"another cloud", factsIn("hetzner", "fsn1", "DE", 0), []string{"guardrails", "residency-parameters", "residency", "scheduler"}, false, ",ghcr.io/meridian-fleet/"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			resolved, err := example(t, "1.0.0").Resolve(c.facts)
			if err != nil {
				t.Fatal(err)
			}
			var components []string
			driver := false
			for _, component := range resolved.Components {
				components = append(components, component.Name)
				for _, object := range component.Objects {
					driver = driver || object.GetKind() == "DaemonSet" && object.GetName() == "nvidia-driver"
					if data, _ := object.Object["data"].(map[string]any); object.GetName() == "guardrails" && data != nil {
						if registries, _ := data["registries"].(string); !strings.HasSuffix(registries, c.registries) {
							t.Errorf("registries: %q", registries)
						}
					}
				}
			}
			if !slices.Equal(components, c.components) || driver != c.driver {
				t.Errorf("components %v, driver %v", components, driver)
			}
		})
	}
}

// TestExamples takes a cluster with GPU nodes to both versions of the example
// baseline and lets pods try its policies.
func TestExamples(t *testing.T) {
	t.Parallel()
	cluster := connectTo(t, boxtest.Start(t, 1)[0])
	cluster.addNodes(t, "m6i.xlarge", "system")
	cluster.addNodes(t, "p5.48xlarge", "gpu")
	facts := factsIn("aws", "eu-central-1", "DE", 8)
	first, err := example(t, "1.0.0").Resolve(facts)
	if err != nil {
		t.Fatal(err)
	}
	result := cluster.mustApply(t, first)
	wantCounts(t, result, first.Objects(), 0, 0, 0)
	t.Run("policies", func(t *testing.T) { testPolicies(t, cluster) })
	t.Run("packing", func(t *testing.T) { testSchedulerReady(t, cluster) })
	second, err := example(t, "1.1.0").Resolve(facts)
	if err != nil {
		t.Fatal(err)
	}
	t.Run("host network before", func(t *testing.T) { cluster.expectAdmitted(t, func(pod *corev1.Pod) { pod.Spec.HostNetwork = true }) })
	result = cluster.mustApply(t, second)
	wantCounts(t, result, 2, 3, second.Objects()-5, 1)
	if result.Created+result.Configured >= result.Unchanged {
		t.Errorf("the second version touches more than it leaves: %+v", result)
	}
	t.Run("host network after", func(t *testing.T) {
		eventually(t, "the tightened policy", func() bool {
			pod := goodPod()
			pod.Spec.HostNetwork = true
			return apierrors.IsInvalid(cluster.try(t, pod))
		})
	})
	findings, err := cluster.Drift(t.Context(), second)
	if err != nil || len(findings) != 0 {
		t.Errorf("drift: %+v %v", findings, err)
	}
	wantCounts(t, cluster.mustApply(t, second), 0, 0, second.Objects(), 0)
}

func (l *live) addNodes(t *testing.T, machineType, pool string) {
	t.Helper()
	machine, err := machinetypes.AWS(machineType)
	if err != nil {
		t.Fatal(err)
	}
	wanted := nodes.Pool{
		Name: pool, Replicas: 1, MachineType: machineType, Machine: machine, Region: "eu-central-1", Zone: "eu-central-1a",
		KubeletVersion: "v1.36.3", ProviderIDPrefix: "aws:///eu-central-1a/",
	}
	if machine.GPU != nil {
		wanted.Labels = map[string]string{"nvidia.com/gpu.present": "true"}
		wanted.Taints = []corev1.Taint{{Key: "nvidia.com/gpu", Value: "present", Effect: corev1.TaintEffectNoSchedule}}
	}
	if _, err := nodes.Ensure(t.Context(), l.config, wanted); err != nil {
		t.Fatal(err)
	}
}

// goodPod keeps every rule of the example's policies.
func goodPod() *corev1.Pod {
	limits := corev1.ResourceList{corev1.ResourceCPU: quantity.MustParse("100m"), corev1.ResourceMemory: quantity.MustParse("64Mi")}
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "probe-", Namespace: metav1.NamespaceDefault, Labels: map[string]string{"team": "research", "meridian.dev/data-class": "personal.eu"}},
		Spec: corev1.PodSpec{Containers: []corev1.Container{{
			Name: "main", Image: "public.ecr.aws/example/main:1", Resources: corev1.ResourceRequirements{Limits: limits},
		}}},
	}
}

// try asks whether a pod would be admitted.
func (l *live) try(t *testing.T, pod *corev1.Pod) error {
	t.Helper()
	_, err := l.kube.CoreV1().Pods(pod.Namespace).Create(t.Context(), pod, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
	return err
}

func (l *live) expectAdmitted(t *testing.T, change func(*corev1.Pod)) {
	t.Helper()
	pod := goodPod()
	change(pod)
	// Policies take a moment to know their parameters.
	var err error
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); {
		if err = l.try(t, pod); err == nil || !strings.Contains(err.Error(), "no params found") {
			break
		}
	}
	if err != nil {
		t.Errorf("a good pod was refused: %v", err)
	}
}

func testPolicies(t *testing.T, l *live) {
	limited := goodPod().Spec.Containers[0]
	privileged := true
	for name, c := range map[string]struct {
		change func(*corev1.Pod)
		reason string
	}{
		"no limits":       {func(p *corev1.Pod) { p.Spec.Containers[0].Resources.Limits = nil }, "containers without a limit for cpu and memory: main"},
		"no memory limit": {func(p *corev1.Pod) { delete(p.Spec.Containers[0].Resources.Limits, corev1.ResourceMemory) }, "containers without a limit"},
		"unlimited init":  {func(p *corev1.Pod) { p.Spec.InitContainers = []corev1.Container{{Name: "init", Image: limited.Image}} }, "memory: init"},
		"privileged": {func(p *corev1.Pod) {
			p.Spec.Containers[0].SecurityContext = &corev1.SecurityContext{Privileged: &privileged}
		}, "privileged containers are for system namespaces only"},
		"unknown registry": {func(p *corev1.Pod) { p.Spec.Containers[0].Image = "example.com/intruder:latest" }, "allowed in aws/eu-central-1: example.com/intruder:latest"},
		"no team":          {func(p *corev1.Pod) { delete(p.Labels, "team") }, "pods carry the label team"},
		"no data class":    {func(p *corev1.Pod) { delete(p.Labels, "meridian.dev/data-class") }, "pods carry the label meridian.dev/data-class"},
		"data from abroad": {func(p *corev1.Pod) { p.Labels["meridian.dev/data-class"] = "payments.in" }, "data of class payments.in may not be processed in aws/eu-central-1: denied by rbi/only-india"},
	} {
		t.Run(name, func(t *testing.T) {
			pod := goodPod()
			c.change(pod)
			eventually(t, "the pod to be refused because: "+c.reason, func() bool {
				err := l.try(t, pod)
				return apierrors.IsInvalid(err) && strings.Contains(err.Error(), c.reason)
			})
		})
	}
	l.expectAdmitted(t, func(*corev1.Pod) {})
	l.expectAdmitted(t, func(p *corev1.Pod) {
		delete(p.Labels, "meridian.dev/data-class")
		p.Labels["meridian.dev/data"] = "none"
	})
	l.expectAdmitted(t, func(p *corev1.Pod) {
		p.Spec.Containers[0].Image = "example.com/known@sha256:" + strings.Repeat("0123456789abcdef", 4)
	})
	l.expectAdmitted(t, func(p *corev1.Pod) {
		*p = corev1.Pod{ObjectMeta: metav1.ObjectMeta{GenerateName: "system-", Namespace: metav1.NamespaceSystem}, Spec: corev1.PodSpec{
			Containers: []corev1.Container{{Name: "main", Image: "example.com/system", SecurityContext: &corev1.SecurityContext{Privileged: &privileged}}},
		}}
	})
}

func testSchedulerReady(t *testing.T, l *live) {
	deployment, err := l.kube.AppsV1().Deployments("scheduling-system").Get(t.Context(), "gpu-packer", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if image := deployment.Spec.Template.Spec.Containers[0].Image; image != "registry.k8s.io/kube-scheduler:v1.36.3" || deployment.Status.ReadyReplicas != 2 {
		t.Errorf("image %s, %d ready", image, deployment.Status.ReadyReplicas)
	}
	driver, err := l.kube.AppsV1().DaemonSets("gpu-system").Get(t.Context(), "nvidia-driver", metav1.GetOptions{})
	if err != nil || driver.Status.NumberReady != 1 {
		t.Errorf("driver: want it on the one GPU node, got %+v %v", driver.Status, err)
	}
}
