package server_test

import (
	"encoding/json"
	"strings"
	"testing"

	"connectrpc.com/connect"

	fleetv1 "github.com/meridian-fleet/meridian/api/fleet/v1"
	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/inventory"
	"github.com/meridian-fleet/meridian/internal/server"
)

func decision(t *testing.T, name string, allowed bool) fleet.Resource {
	t.Helper()
	resource, err := fleet.NewResource(fleet.KindDecision, name, fleet.DecisionSpec{Allowed: allowed, Act: fleet.Act{Kind: "place"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return resource
}

func (f *fixture) decisions() []fleet.Resource {
	f.t.Helper()
	found, err := f.store.List(f.t.Context(), fleet.KindDecision, inventory.Query{})
	if err != nil {
		f.t.Fatal(err)
	}
	return found
}

func TestDecisionsAreWrittenWithWhatTheyAllow(t *testing.T) {
	f := newFixture(t)
	f.applyEverything(class)
	f.residency.admission = server.Admission{Decisions: []fleet.Resource{decision(t, "d1", true)}}
	response, err := f.applyAs("operator-token", dataset)
	if err != nil {
		t.Fatal(err)
	}
	if got := actions(response.GetOutcomes()); got != "Dataset/customers created" {
		t.Errorf("outcomes: %s", got)
	}
	written, changed := f.decisions(), f.resource(fleet.KindDataset, "customers")
	if len(written) != 1 || *written[0].Metadata.UpdatedAt != *changed.Metadata.UpdatedAt {
		t.Errorf("decisions %v and %v were not written at once", written, changed.Metadata)
	}
	if len(f.residency.admitted) != 1 || f.residency.admitted[0].Ref() != changed.Ref() {
		t.Errorf("judged was %v", f.residency.admitted)
	}
}

func TestDenialsAreToldWithTheirPlaceAndRecorded(t *testing.T) {
	f := newFixture(t)
	f.applyEverything(class)
	f.residency.admission = server.Admission{Decisions: []fleet.Resource{decision(t, "d1", false)}}
	f.residency.err = fleet.Errorf(fleet.ErrDenied, "eu-personal-data/stays-in-eea forbids storage").On("Dataset customers").
		At(fleet.Position{}, "spec.bindings[0].region").Advise("allowed in: aws/eu-west-3")
	before := f.revision()
	_, err := f.as("operator-token").Apply(t.Context(), connect.NewRequest(&fleetv1.ApplyRequest{Sources: sources(dataset), DryRun: true}))
	expectFailure(t, err, fleet.ErrDenied, "stays-in-eea")
	if f.revision() != before {
		t.Error("a dry run wrote something")
	}
	_, err = f.applyAs("operator-token", strategy+dataset)
	expectFailure(t, err, fleet.ErrDenied, "may not apply a RolloutStrategy")
	_, err = f.applyAs("operator-token", "\n\n"+dataset)
	expectFailure(t, err, fleet.ErrDenied, `object:"Dataset customers"`, "line:7", `file:"fleet.yaml"`, "allowed in: aws/eu-west-3")
	if code, _ := detail(t, err); code != connect.CodePermissionDenied {
		t.Errorf("code %s", code)
	}
	if recorded := f.decisions(); len(recorded) != 1 || f.revision() != before+1 {
		t.Errorf("recorded was %v", recorded)
	}
}

// TestAVerdictHoldsForTheStateItWasGivenIn: when something it rests on changes
// before the write, the write is judged anew.
func TestAVerdictHoldsForTheStateItWasGivenIn(t *testing.T) {
	f := newFixture(t)
	f.applyEverything(class + group)
	judged := 0
	f.residency.onAdmit = func() {
		if judged++; judged > 2 {
			return
		}
		resource := f.resource(fleet.KindJurisdictionGroup, "EEA")
		resource.Metadata.Labels = map[string]string{"judged": strings.Repeat("x", judged)}
		if _, err := f.store.Apply(t.Context(), "another fleetd", []fleet.Resource{resource}, inventory.ApplyOptions{}); err != nil {
			t.Error(err)
		}
	}
	if _, err := f.applyAs("operator-token", dataset); err != nil {
		t.Fatal(err)
	}
	if judged != 3 {
		t.Errorf("it was judged %d times", judged)
	}
	judged = -1000 // somebody changes something whenever it is judged
	before := f.resource(fleet.KindDataset, "customers").Metadata.Revision
	f.residency.onAdmit = func() {
		judged++
		f.setStatus(fleet.KindException, "x", fleet.ExceptionStatus{Message: strings.Repeat("x", judged+1000)})
	}
	exception, err := fleet.NewResource(fleet.KindException, "x", fleet.ExceptionSpec{Period: fleet.Period{Until: "2020-01-01"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.store.Apply(t.Context(), "test", []fleet.Resource{exception}, inventory.ApplyOptions{}); err != nil {
		t.Fatal(err)
	}
	_, err = f.applyAs("operator-token", strings.Replace(dataset, "spec:", "spec:\n  title: other", 1))
	expectFailure(t, err, fleet.ErrConflict, "changed meanwhile")
	if f.resource(fleet.KindDataset, "customers").Metadata.Revision != before || judged != -995 {
		t.Errorf("it was written, or judged %d times", judged+1000)
	}
}

// TestAVerdictsOwnCondition: what the judge rests on counts as well.
func TestAVerdictsOwnCondition(t *testing.T) {
	f := newFixture(t)
	f.applyEverything(strategy + class)
	if _, err := f.applyAs("operator-token", dataset); err != nil {
		t.Fatal(err)
	}
	f.residency.admission = server.Admission{Unless: &inventory.Moved{Kinds: []fleet.Kind{fleet.KindRolloutStrategy}, Since: 0}}
	_, err := f.applyAs("operator-token", strings.Replace(dataset, "spec:", "spec:\n  title: other", 1))
	expectFailure(t, err, fleet.ErrConflict, "changed meanwhile")
}

func TestWarningsAboutRules(t *testing.T) {
	f := newFixture(t)
	f.residency.warnings = []fleet.PolicyWarning{{Kind: fleet.WarningDeniesAll, Message: "nothing is left", Rules: []string{"eu-personal-data/stays-in-eea"}}}
	response, err := f.applyAs("compliance-token", class+group+policy)
	if err != nil {
		t.Fatal(err)
	}
	if len(response.GetWarnings()) != 1 {
		t.Fatalf("got %v", response.GetWarnings())
	}
	raw, err := response.GetWarnings()[0].MarshalJSON()
	var warning fleet.PolicyWarning
	if err == nil {
		err = json.Unmarshal(raw, &warning)
	}
	if err != nil || warning.Kind != fleet.WarningDeniesAll || warning.Message != "nothing is left" {
		t.Errorf("got %s, %v", raw, err)
	}
	response, err = f.applyAs("operator-token", dataset)
	if err != nil || len(response.GetWarnings()) != 0 {
		t.Errorf("a dataset warns of %v, %v", response.GetWarnings(), err)
	}
}

// TestPlacesThatRulesMakeUnlawful are told of, once each, and not refused.
func TestPlacesThatRulesMakeUnlawful(t *testing.T) {
	f := newFixture(t)
	moves := func(name string, before, after bool) fleet.PlaceDiff {
		return fleet.PlaceDiff{
			Place:  fleet.Located{Subject: fleet.Ref{Kind: fleet.KindDataset, Name: name}, Region: "aws/us-east-1"},
			Before: fleet.Verdict{Allowed: before}, After: fleet.Verdict{Allowed: after},
		}
	}
	f.residency.places = []fleet.PlaceDiff{moves("a", true, false), moves("a", true, false), moves("b", false, true), moves("c", false, false), moves("d", true, false)}
	response, err := f.applyAs("compliance-token", class+group+policy)
	if err != nil {
		t.Fatal(err)
	}
	message := response.GetWarnings()[0].GetFields()["message"].GetStringValue()
	if len(response.GetWarnings()) != 1 || !strings.HasPrefix(message, "no longer lawful would be Dataset a in aws/us-east-1, Dataset d in aws/us-east-1;") {
		t.Errorf("got %v", response.GetWarnings())
	}
}
