package enforce_test

import (
	"encoding/json"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/meridian-fleet/meridian/internal/baseline"
	"github.com/meridian-fleet/meridian/internal/residency/enforce"
	"github.com/meridian-fleet/meridian/internal/sandbox/boxtest"
)

// delivered is the example baseline, for a cluster in a region under documents.
func delivered(t *testing.T, in enforce.Input, provider, id, country string) *baseline.Resolved {
	t.Helper()
	compiler, err := enforce.New(in)
	if err != nil {
		t.Fatal(err)
	}
	objects, err := compiler.Guardrails(provider + "/" + id)
	if err != nil {
		t.Fatal(err)
	}
	bundle, err := baseline.LoadDir("../../../deploy/examples/baselines/platform-1.1.0")
	if err != nil {
		t.Fatal(err)
	}
	resolved, err := bundle.Resolve(baseline.Facts{
		Provider:  provider,
		Region:    map[string]any{"name": provider + "/" + id, "id": id, "country": country},
		Cluster:   map[string]any{"name": provider + "-" + id, "gpus": 0, "kubernetesVersion": "1.36.3"},
		Generated: map[string][]json.RawMessage{"residency": objects},
	})
	if err != nil {
		t.Fatal(err)
	}
	// What schedules pods needs nodes, and is not what this is about.
	resolved.Components = withoutScheduler(resolved.Components)
	return resolved
}

func withoutScheduler(components []baseline.ResolvedComponent) []baseline.ResolvedComponent {
	var kept []baseline.ResolvedComponent
	for _, component := range components {
		if component.Name != "scheduler" {
			kept = append(kept, component)
		}
	}
	return kept
}

// TestExampleBaselineKeepsResidency delivers the example baseline to real
// clusters of all three clouds, as they are told by the packs, and lets pods
// and volumes try. Nothing of Meridian runs while they do.
func TestExampleBaselineKeepsResidency(t *testing.T) {
	t.Parallel()
	configs := boxtest.Start(t, 3)
	for i, place := range []struct {
		provider, id, country string
		pods, volumes         map[string]string // by class: empty when admitted, else what the refusal says
	}{
		{"aws", "eu-central-1", "DE",
			map[string]string{"personal.eu": "", "payments.in": "", "defense.us.itar": "meridian/unknown-class"},
			map[string]string{"personal.eu": "", "payments.in": "india-rbi-payments/stored-only-in-india"}},
		{"gcp", "asia-south1", "IN",
			map[string]string{"personal.eu": "gdpr", "payments.in": ""},
			map[string]string{"payments.in": "", "personal.eu": "gdpr"}},
		{"azure", "japaneast", "JP",
			map[string]string{"personal.eu": "", "nobody.knows": "meridian/unknown-class"},
			map[string]string{"payments.in": "india-rbi-payments/stored-only-in-india"}},
	} {
		t.Run(place.provider, func(t *testing.T) {
			t.Parallel()
			c := clusterAt(t, configs[i])
			resolved := delivered(t, input(t, "../../../deploy/residency"), place.provider, place.id, place.country)
			target, err := baseline.Connect(configs[i])
			if err != nil {
				t.Fatal(err)
			}
			if _, err := target.Apply(t.Context(), resolved, baseline.ApplyOptions{}); err != nil {
				t.Fatal(err)
			}
			here := " in " + place.provider + "/" + place.id
			for class, refusal := range place.pods {
				c.eventually("pod of "+class, func() error { return c.tryWholePod(class) }, answer(refusal, "processed"+here))
			}
			for name, refusal := range place.volumes {
				c.eventually("volume of "+name, func() error {
					return c.tryClaim("default", enforce.RegionalStorageClass, class(name))
				}, answer(refusal, "stored"+here))
			}
			findings, err := target.Drift(t.Context(), resolved)
			if err != nil || len(findings) > 0 {
				t.Errorf("drift: %+v %v", findings, err)
			}
		})
	}
}

// A change of the rules is a difference between a cluster and its baseline,
// and delivering the same baseline again brings it.
func TestChangedRulesAreDrift(t *testing.T) {
	t.Parallel()
	config := boxtest.Start(t, 1)[0]
	c := clusterAt(t, config)
	target, err := baseline.Connect(config)
	if err != nil {
		t.Fatal(err)
	}
	in := input(t)
	before := delivered(t, in, "aws", "sa-east-1", "BR")
	if _, err := target.Apply(t.Context(), before, baseline.ApplyOptions{}); err != nil {
		t.Fatal(err)
	}
	dataset := map[string]string{"meridian.dev/dataset": "customers"}
	volume := func() error { return c.tryClaim("default", enforce.RegionalStorageClass, dataset) }
	// The exception ended when the machine's clock says so: then the server
	// refuses by itself.
	c.eventually("the exception", volume, func(err error) bool {
		return err == nil || strings.Contains(err.Error(), "allowed until 2026-10-01T00:00:00Z")
	})
	in.At = in.At.AddDate(1, 0, 0)
	after := delivered(t, in, "aws", "sa-east-1", "BR")
	findings, err := target.Drift(t.Context(), after)
	if err != nil || len(findings) != 1 || findings[0].Object != "ConfigMap residency-system/residency" || findings[0].Type != baseline.DriftChanged {
		t.Fatalf("drift: %+v %v", findings, err)
	}
	if result, err := target.Apply(t.Context(), after, baseline.ApplyOptions{}); err != nil || result.Configured != 1 || result.Created != 0 {
		t.Fatalf("%+v %v", result, err)
	}
	c.eventually("the exception is over", volume, refused("data of dataset customers may not be stored in aws/sa-east-1", "eu-personal-data/stays-in-eea (GDPR Art. 44)"))
}

func answer(refusal, where string) func(error) bool {
	if refusal == "" {
		return admitted
	}
	return refused(refusal, where)
}

// tryWholePod tries a pod that keeps the other rules of the baseline.
func (c *cluster) tryWholePod(name string) error {
	labels := class(name)
	labels["team"] = "research"
	wanted := pod("default", labels)
	wanted.Spec.Containers[0].Image = "registry.k8s.io/pause:3.10"
	wanted.Spec.Containers[0].Resources.Limits = corev1.ResourceList{
		corev1.ResourceCPU: resource.MustParse("100m"), corev1.ResourceMemory: resource.MustParse("64Mi"),
	}
	_, err := c.kube.CoreV1().Pods("default").Create(c.Context(), wanted, dryRun)
	return err
}
