package compliance_test

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/meridian-fleet/meridian/internal/compliance"
	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/inventory"
)

func (f *fixture) decisions(t tester) []fleet.DecisionSpec {
	t.Helper()
	resources, err := f.store.List(t.Context(), fleet.KindDecision, inventory.Query{})
	if err != nil {
		t.Fatal(err)
	}
	var all []fleet.DecisionSpec
	for _, resource := range resources {
		spec, err := fleet.SpecOf[fleet.DecisionSpec](resource)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, spec)
	}
	return all
}

func outcomes(decision fleet.DecisionSpec) string {
	var all []string
	for _, verdict := range decision.Verdicts {
		all = append(all, string(verdict.Facet)+" "+outcome(verdict))
	}
	slices.Sort(all)
	return strings.Join(all, "; ")
}

func TestDecide(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.apply(t, document(fleet.KindRegion, "aws/eu-central-1", "{profile: small, data: [{classes: [personal.eu], facets: [storage, processing]}]}")+
		document(fleet.KindRegion, "aws/us-east-1", "{profile: small, data: [{classes: [personal.eu]}]}")+
		document(fleet.KindRegion, "aws/us-west-2", "{profile: small}")+
		document(fleet.KindCluster, "east", "{region: aws/us-east-1, profile: small}")+
		dataset("patients", "{classes: [personal.eu], bindings: [{name: found, facets: [backup], region: aws/us-west-2, existing: true}, {name: a, facets: [storage], region: azure/westeurope, geoRedundant: true}]}")+
		workload("site", "{classes: [{classes: [public]}], regions: [aws/eu-central-1]}"))
	telemetry := []fleet.Question{{Classes: []string{"public"}, Facet: fleet.FacetTelemetry, Region: "aws/us-east-1"}}
	for name, test := range map[string]struct {
		act  fleet.Act
		want string
		says []string // of a denial
	}{
		"a region for its data":    {fleet.Act{Kind: "onboard", Region: "aws/eu-central-1"}, "processing yes eu-personal-data/processing; processing yes open-data/anywhere; storage yes eu-personal-data/stays", nil},
		"a region for other data":  {fleet.Act{Kind: "onboard", Region: "aws/us-east-1"}, "processing no eu-personal-data/processing", []string{"data of personal.eu: processing in aws/us-east-1 is denied", "GDPR Art. 44", "allowed in"}},
		"a region with data in it": {fleet.Act{Kind: "onboard", Region: "aws/us-west-2"}, "backup no eu-personal-data/stays", []string{"Dataset patients"}},
		"a region that is a pair":  {fleet.Act{Kind: "onboard", Region: "azure/northeurope"}, "storage yes eu-personal-data/stays", nil},
		"a region of nobody":       {fleet.Act{Kind: "onboard", Region: "gcp/us-east1"}, "", nil},
		"a baseline":               {fleet.Act{Kind: "apply-baseline", Cluster: "east", Questions: telemetry}, "processing no eu-personal-data/processing; telemetry yes open-data/anywhere", []string{"personal.eu"}},
		"a placement":              {fleet.Act{Kind: "place", Questions: []fleet.Question{{Subject: running("site"), Region: "aws/us-east-1"}}}, " yes open-data/anywhere", nil},
		"a move":                   {fleet.Act{Kind: "migrate", Questions: []fleet.Question{{Subject: of("patients"), Facet: fleet.FacetStorage, Region: "aws/us-east-1", Leaving: []string{"azure/westeurope"}}}}, "storage no eu-personal-data/stays", []string{"Dataset patients: storage in aws/us-east-1"}},
		"nothing":                  {fleet.Act{Kind: "place"}, "", nil},
	} {
		before := len(f.decisions(t))
		test.act.Actor, test.act.Operation = actor, name
		resource, decision, err := f.office.Decide(t.Context(), test.act)
		if got := outcomes(decision); got != test.want {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
		if len(test.says) > 0 {
			wantKind(t, err, fleet.ErrDenied, test.says...)
		} else if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		recorded := f.decisions(t)
		if last := recorded[len(recorded)-1]; len(recorded) != before+1 || last.Act.Operation != name || last.Allowed != (err == nil) || outcomes(last) != test.want {
			t.Errorf("%s: %d decisions, the last %+v", name, len(recorded), last)
		}
		if _, err := f.store.Get(t.Context(), resource.Ref(), inventory.AsOf{}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, act := range []fleet.Act{{Kind: "destroy", Actor: actor}, {Kind: "place"}, {Kind: "onboard", Cluster: "none", Actor: actor}} {
		before := len(f.decisions(t))
		if _, _, err := f.office.Decide(t.Context(), act); err == nil || len(f.decisions(t)) != before {
			t.Errorf("%+v: %v", act, err)
		}
	}
}

// meddling is a store in which something happens between a question and the
// next write.
type meddling struct {
	inventory.Store
	mutex  sync.Mutex
	meddle []func()
	writes int
}

func (m *meddling) Apply(ctx context.Context, actor string, resources []fleet.Resource, options inventory.ApplyOptions) ([]inventory.Outcome, error) {
	m.mutex.Lock()
	m.writes++
	var first func()
	if len(m.meddle) > 0 {
		first, m.meddle = m.meddle[0], m.meddle[1:]
	}
	m.mutex.Unlock()
	if first != nil {
		first()
	}
	return m.Store.Apply(ctx, actor, resources, options)
}

// A rule that changes after the verdict and before it is recorded is not
// missed.
func TestDecideAgainWhenTheRulesMove(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	store := &meddling{Store: f.store}
	office := compliance.New(compliance.Config{Store: store, Catalog: catalog})
	f.apply(t, dataset("notes", "{classes: [public]}"))
	act := fleet.Act{Kind: "place", Actor: actor, Questions: []fleet.Question{{Subject: of("notes"), Facet: fleet.FacetStorage, Region: "aws/us-east-1"}}}
	store.meddle = []func(){func() { f.apply(t, dataset("notes", "{classes: [personal.eu]}")) }}
	_, decision, err := office.Decide(t.Context(), act)
	wantKind(t, err, fleet.ErrDenied, "eu-personal-data/stays")
	if recorded := f.decisions(t); decision.Allowed || store.writes != 2 || len(recorded) != 1 || recorded[0].Allowed {
		t.Errorf("%+v after %d writes, recorded: %+v", decision, store.writes, recorded)
	}
	for range 20 { // rules that never rest: no decision, and no act
		store.meddle = append(store.meddle, func() {
			f.apply(t, document(fleet.KindDataClass, "public", "{text: "+strings.Repeat("x", len(store.meddle)+1)+"}"))
		})
	}
	if _, _, err := office.Decide(t.Context(), act); err == nil || len(f.decisions(t)) != 1 {
		t.Errorf("decided while the rules moved: %v", err)
	} else if wantKind(t, err, fleet.ErrUnavailable, "DataClass public"); fleet.KindOf(err) != fleet.ErrUnavailable {
		t.Errorf("%v is of another kind than what may be tried again", err)
	}
}

// What regions report is no reason to decide again, and many do at once.
func TestDecideWhileRegionsReport(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.apply(t, document(fleet.KindRegion, "aws/eu-central-1", "{profile: small}"))
	store := &meddling{Store: f.store}
	office := compliance.New(compliance.Config{Store: store, Catalog: catalog})
	store.meddle = []func(){func() {
		report := func(json.RawMessage) (any, error) { return fleet.RegionStatus{Phase: fleet.RegionReady}, nil }
		if err := f.store.UpdateStatus(t.Context(), actor, fleet.Ref{Kind: fleet.KindRegion, Name: "aws/eu-central-1"}, report); err != nil {
			t.Error(err)
		}
	}}
	if _, _, err := office.Decide(t.Context(), fleet.Act{Kind: "onboard", Actor: actor, Region: "aws/eu-central-1"}); err != nil || store.writes != 1 {
		t.Errorf("%d writes, %v", store.writes, err)
	}
}

func TestDecisionsAreNamedInOrder(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	var names []string
	for range 20 {
		resource, _, err := f.office.Decide(t.Context(), fleet.Act{Kind: "place", Actor: actor})
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, resource.Metadata.Name)
	}
	if !slices.IsSorted(names) || len(slices.Compact(slices.Clone(names))) != len(names) {
		t.Errorf("names: %q", names)
	}
}
