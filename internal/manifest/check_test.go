package manifest

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

const checked = `
apiVersion: meridian.dev/v1alpha1
kind: Region
metadata: {name: aws/eu-central-1}
spec: {profile: small, baseline: platform@1.0.0}
---
apiVersion: meridian.dev/v1alpha1
kind: Region
metadata: {name: gcp/atlantis-1}
spec:
  profile: small
  baseline: platform@9.9.9
---
apiVersion: meridian.dev/v1alpha1
kind: Cluster
metadata: {name: extra}
spec:
  region: azure/westeurope
  profile: absent
---
apiVersion: meridian.dev/v1alpha1
kind: ClusterProfile
metadata: {name: small}
spec:
  kubernetesVersion: 1.36.3
  nodePools:
  - {name: general, replicas: 1, instanceTypes: {aws: m7i.large}}
---
apiVersion: meridian.dev/v1alpha1
kind: Region
metadata: {name: aws/eu-central-1}
spec: {profile: stored}
`

func TestCheck(t *testing.T) {
	t.Parallel()
	documents, err := Parse("a.yaml", []byte(checked))
	if err != nil {
		t.Fatal(err)
	}
	stored := map[fleet.Ref]bool{
		{Kind: fleet.KindBaseline, Name: "platform@1.0.0"}: true,
		{Kind: fleet.KindClusterProfile, Name: "stored"}:   true,
	}
	lookup := func(ref fleet.Ref) (bool, error) { return stored[ref], nil }
	known := func(region string) (bool, error) { return !strings.Contains(region, "atlantis"), nil }
	err = Check(context.Background(), documents, lookup, known)
	want := strings.Join([]string{
		"a.yaml:29:1: Region aws/eu-central-1: is written twice, first at a.yaml:2:1",
		`a.yaml:9:18: Region gcp/atlantis-1: metadata.name: unknown region: provider gcp has no region "atlantis-1"`,
		`a.yaml:11:12: Region gcp/atlantis-1: spec.profile: node pool "general" of ClusterProfile small has no instance type for provider gcp`,
		"a.yaml:12:13: Region gcp/atlantis-1: spec.baseline: there is no Baseline platform@9.9.9 (apply the baseline's folder first, or together with this)",
		"a.yaml:18:11: Cluster extra: spec.region: there is no Region azure/westeurope (declare the Region first, or together with this)",
		"a.yaml:19:12: Cluster extra: spec.profile: there is no ClusterProfile absent (declare the ClusterProfile first, or together with this)",
	}, "\n")
	if err == nil || err.Error() != want || !errors.Is(err, fleet.ErrInvalid) {
		t.Errorf("got:\n%v\nwant:\n%s", err, want)
	}

	unreachable := fleet.Errorf(fleet.ErrUnavailable, "no answer")
	err = Check(context.Background(), documents, lookup, func(string) (bool, error) { return false, unreachable })
	if !errors.Is(err, fleet.ErrUnavailable) {
		t.Errorf("an error of the catalog is hidden: %v", err)
	}
}

// TestCheckResidency looks up every class, group, dataset and place that
// documents about residency name.
func TestCheckResidency(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile("testdata/good/residency.yaml")
	if err != nil {
		t.Fatal(err)
	}
	documents, err := Parse("r.yaml", content)
	if err != nil {
		t.Fatal(err)
	}
	stored := map[fleet.Ref]bool{
		{Kind: fleet.KindDataClass, Name: "personal.eu"}:         true,
		{Kind: fleet.KindJurisdictionGroup, Name: "EEA"}:         true,
		{Kind: fleet.KindJurisdictionGroup, Name: "home"}:        true,
		{Kind: fleet.KindDataset, Name: "personal.eu.heath"}:     true, // of another kind
		{Kind: fleet.KindJurisdictionGroup, Name: "unmentioned"}: true,
	}
	lookup := func(ref fleet.Ref) (bool, error) { return stored[ref], nil }
	known := func(region string) (bool, error) { return !strings.Contains(region, "atlantis"), nil }
	err = Check(context.Background(), documents, lookup, known)
	const group = " (declare the JurisdictionGroup first, or together with this)"
	want := strings.Join([]string{
		"r.yaml:26:108: ResidencyPolicy eu-personal-data: spec.rules[0].allowOnly.except.groups[0]: there is no JurisdictionGroup far" + group,
		"r.yaml:27:66: ResidencyPolicy eu-personal-data: spec.rules[1].requireCopy.in.groups[0]: there is no JurisdictionGroup copies" + group,
		"r.yaml:29:71: ResidencyPolicy eu-personal-data: spec.rules[3].operator.notControlledFrom[1]: there is no JurisdictionGroup foes" + group,
		"r.yaml:30:127: ResidencyPolicy eu-personal-data: spec.rules[4].obligation.inside.groups[0]: there is no JurisdictionGroup tellers" + group,
		"r.yaml:36:33: Dataset patients: spec.classes[1]: there is no DataClass personal.eu.heath (did you mean personal.eu.health? Otherwise declare the DataClass first, or together with this)",
		`r.yaml:41:123: Dataset patients: spec.bindings[0].pair: unknown region: provider azure has no region "atlantis"`,
		"r.yaml:44:97: Dataset patients: spec.instruments[0].to.groups[0]: there is no JurisdictionGroup partners" + group,
		"r.yaml:51:45: Workload portal: spec.datasets[1].dataset: there is no Dataset patient (did you mean patients? Otherwise declare the Dataset first, or together with this)",
		"r.yaml:52:24: Workload portal: spec.classes[0].classes[0]: there is no DataClass public (declare the DataClass first, or together with this)",
		`r.yaml:53:31: Workload portal: spec.regions[1]: unknown region: provider aws has no region "atlantis-2"`,
	}, "\n")
	if err == nil || err.Error() != want {
		t.Errorf("got:\n%v\nwant:\n%s", err, want)
	}
}
