package manifest

import (
	"context"
	"errors"
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
