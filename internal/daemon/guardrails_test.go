package daemon

import (
	"bytes"
	"context"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/meridian-fleet/meridian/internal/compliance"
	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/inventory"
)

// What clusters are told follows what is recorded at once, and is made once
// for as long as nothing is.
func TestGuardrailsFollowTheInventory(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	store, err := inventory.OpenSQLite(ctx, filepath.Join(t.TempDir(), "inventory.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	office := compliance.New(compliance.Config{Store: store, Catalog: func(context.Context) ([]fleet.RegionFacts, error) {
		return []fleet.RegionFacts{{Provider: "aws", ID: "eu-central-1", Country: "DE", Partition: "aws"}}, nil
	}})
	g := &guardrails{material: office.Material, changes: store.Changes}
	told := func() string {
		t.Helper()
		objects, err := g.objects(ctx, "aws/eu-central-1")
		if err != nil {
			t.Fatal(err)
		}
		return string(bytes.Join(rawBytes(objects), []byte("\n")))
	}
	put := func(kind fleet.Kind, name string, spec any) {
		t.Helper()
		resource, err := fleet.NewResource(kind, name, spec, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := store.Apply(ctx, "test", []fleet.Resource{resource}, inventory.ApplyOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	rules := func(version, country string) fleet.ResidencyPolicySpec {
		return fleet.ResidencyPolicySpec{
			Version: version, Effective: fleet.Period{From: "2020-01-01"}, AppliesTo: fleet.PolicySubjects{Classes: []string{"personal"}},
			Rules: []fleet.Rule{{Name: "home", Facets: []fleet.Facet{fleet.FacetProcessing}, AllowOnly: &fleet.Scope{Countries: []string{country}}, Cites: "law"}},
		}
	}
	if without := told(); !strings.Contains(without, `"unlabelled":"admitted"`) || strings.Contains(without, "processing.class") {
		t.Errorf("without rules: %s", without)
	}
	put(fleet.KindDataClass, "personal", fleet.DataClassSpec{})
	put(fleet.KindResidencyPolicy, "home", rules("1", "DE"))
	put(fleet.KindDataset, "orders", fleet.DatasetSpec{Classes: []string{"personal"}})
	put(fleet.KindWorkload, "shop", fleet.WorkloadSpec{Datasets: []fleet.DatasetUse{{Dataset: "orders"}}})
	for _, entry := range []string{
		`"processing.class.personal":"allowed"`, `"storage.class.personal":"denied by meridian/no-rule`,
		`"processing.dataset.orders":"allowed"`, `"processing.workload.shop":"allowed"`, `"classes.workload.shop":"personal"`,
	} {
		if !strings.Contains(told(), entry) {
			t.Errorf("want %s in %s", entry, told())
		}
	}
	kept := g.compiler
	put(fleet.KindRolloutStrategy, "x", fleet.RolloutStrategySpec{})
	if told(); g.compiler != kept {
		t.Error("made anew although nothing it rests on changed")
	}
	put(fleet.KindResidencyPolicy, "home", rules("2", "FR"))
	if changed := told(); !strings.Contains(changed, `"processing.class.personal":"denied by home/home (law): `) {
		t.Errorf("after the change: %s", changed)
	}
}

func rawBytes(objects []json.RawMessage) [][]byte {
	raw := make([][]byte, len(objects))
	for i, object := range objects {
		raw[i] = object
	}
	return raw
}
