package server_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"

	fleetv1 "github.com/meridian-fleet/meridian/api/fleet/v1"
	"github.com/meridian-fleet/meridian/internal/fleet"
)

// customers is the dataset with other content.
func customers(spec string) string {
	return "\napiVersion: meridian.dev/v1alpha1\nkind: Dataset\nmetadata: {name: customers}\nspec: " + spec + "\n---"
}

func shop(spec string) string {
	return "\napiVersion: meridian.dev/v1alpha1\nkind: Workload\nmetadata: {name: shop}\nspec: " + spec + "\n---"
}

const (
	lawful = `{name: main, facets: [storage], region: aws/eu-west-3}`
	found  = `{name: old, facets: [backup], region: gcp/europe-west4, existing: true}`
	clause = `{name: scc, basis: standard-contractual-clauses, counterparty: Nordic Hosting AS}`
)

// TestActsOfComplianceOfficers: each act is refused to an operator and an
// administrator, with its field, and done by a compliance officer.
func TestActsOfComplianceOfficers(t *testing.T) {
	attested := `{classes: [personal.eu], facts: {secrecy: {value: professional, source: attested, reference: paper 7}}}`
	for name, test := range map[string]struct{ before, act, field string }{
		"an existing binding":        {"", customers(`{classes: [personal.eu], bindings: [` + found + `]}`), "spec.bindings[0].existing"},
		"another existing binding":   {customers(`{classes: [personal.eu], bindings: [` + found + `]}`), customers(`{classes: [personal.eu], bindings: [` + strings.Replace(found, "europe-west4", "europe-west3", 1) + `]}`), "spec.bindings[0].existing"},
		"a binding becomes existing": {dataset, customers(`{classes: [personal.eu], bindings: [` + strings.Replace(lawful, "}", ", existing: true}", 1) + `]}`), "spec.bindings[0].existing"},
		"what was found is gone":     {customers(`{classes: [personal.eu], bindings: [` + found + `]}`), customers(`{classes: [personal.eu]}`), "spec.bindings"},
		"what was found is an act":   {customers(`{classes: [personal.eu], bindings: [` + found + `]}`), customers(`{classes: [personal.eu], bindings: [` + strings.Replace(found, ", existing: true", "", 1) + `]}`), "spec.bindings"},
		"a place in the past":        {dataset, customers(`{classes: [personal.eu], bindings: [` + lawful + `, {name: gone, facets: [storage], region: aws/us-east-1, until: 2020-01-01}]}`), "spec.bindings[1].until"},
		"an attested place":          {dataset, customers(`{classes: [personal.eu], bindings: [` + strings.Replace(lawful, "}", ", source: attested}", 1) + `]}`), "spec.bindings[0].source"},
		"an observed place":          {"", customers(`{classes: [personal.eu], bindings: [` + strings.Replace(lawful, "}", ", source: observed}", 1) + `]}`), "spec.bindings[0].source"},
		"an attested fact":           {dataset, customers(attested), "spec.facts.secrecy"},
		"an attested fact replaced":  {customers(attested), customers(`{classes: [personal.eu], facts: {secrecy: {value: none}}}`), "spec.facts.secrecy"},
		"an attested fact forgotten": {customers(attested), customers(`{classes: [personal.eu]}`), "spec.facts.secrecy"},
		"a legal instrument":         {dataset, customers(`{classes: [personal.eu], bindings: [` + lawful + `], instruments: [` + clause + `]}`), "spec.instruments[0]"},
		"a class dropped":            {dataset, customers(`{classes: [personal], bindings: [` + lawful + `]}`), "spec.classes"},
		"the past":                   {dataset, customers(`{classes: [personal.eu], since: 2020-01-01}`), "spec.since"},
		"another past":               {customers(`{classes: [personal.eu], since: 2020-01-01}`), customers(`{classes: [personal.eu], bindings: [` + lawful + `], since: 2020-01-01}`), "spec.since"},
		"a place that never was":     {customers(`{classes: [personal.eu], bindings: [` + lawful + `], since: 2020-01-01}`), customers(`{classes: [personal.eu], since: 2020-01-01}`), "spec.since"},
		"a workload's other past":    {dataset + shop(`{datasets: [{dataset: customers}], regions: [aws/eu-west-3], since: 2020-01-01}`), shop(`{datasets: [{dataset: customers}], since: 2020-01-01}`), "spec.since"},
		"a workload's past":          {dataset + workload, shop(`{datasets: [{dataset: customers}], since: 2020-01-01}`), "spec.since"},
		"a region's facts":           {region, strings.Replace(region, "small}", "small, facts: {certifications: {value: [C5], source: declared}}}", 1), "spec.facts"},
		"a region's purpose":         {region, strings.Replace(region, "small}", "small, data: [{classes: [personal.eu]}]}", 1), "spec.data"},
		"a region less":              {strings.Replace(region, "small}", "small, data: [{classes: [personal.eu]}]}", 1), region, "spec.data"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.applyEverything(profile + class + test.before)
			before := f.revision()
			tokens := []string{"operator-token", "admin-token"}
			if strings.Contains(test.act, "kind: Region") {
				tokens = tokens[1:]
			}
			for _, token := range tokens {
				_, err := f.applyAs(token, test.act)
				expectFailure(t, err, fleet.ErrDenied, "it takes the role compliance", fmt.Sprintf("field:%q", test.field))
			}
			if f.revision() != before {
				t.Error("something was written")
			}
			token := "compliance-token"
			if strings.Contains(test.act, "kind: Region") {
				token = "everything-token"
			}
			if _, err := f.applyAs(token, test.act); err != nil {
				t.Errorf("by a compliance officer: %v", err)
			}
		})
	}
}

// TestActsOfOperators are those that nobody has to be asked for, but the rules.
func TestActsOfOperators(t *testing.T) {
	whole := `{classes: [personal.eu], bindings: [` + lawful + `, ` + found + `], instruments: [` + clause + `], facts: {secrecy: {value: professional, source: attested}}}`
	long := strings.Replace(whole, "}}}", "}}, since: 2020-01-01}", 1)
	for name, test := range map[string]struct{ before, act string }{
		"another place":      {customers(whole), customers(strings.Replace(whole, lawful, lawful+`, {name: second, facets: [storage], region: gcp/europe-west4}`, 1))},
		"a place less":       {customers(whole), customers(strings.Replace(whole, lawful+`, `, "", 1))},
		"a place left":       {customers(whole), customers(strings.Replace(whole, "eu-west-3}", "eu-west-3, until: 2020-01-01}", 1))},
		"a narrower class":   {"\napiVersion: meridian.dev/v1alpha1\nkind: DataClass\nmetadata: {name: personal.eu.health}\nspec: {}\n---" + customers(whole), customers(strings.Replace(whole, "[personal.eu]", "[personal.eu.health]", 1))},
		"one more class":     {customers(whole), customers(strings.Replace(whole, "[personal.eu]", "[personal.eu, personal]", 1))},
		"a declared fact":    {customers(whole), customers(strings.Replace(whole, "facts: {", "facts: {sensitive: {value: true}, ", 1))},
		"an instrument less": {customers(whole), customers(strings.Replace(whole, clause, "", 1))},
		"a title":            {customers(whole), customers(strings.Replace(whole, "{classes", "{title: Customers, classes", 1))},
		"a workload":         {dataset, workload},
		"what it was before": {customers(long), "\n" + customers(long)},
		"another from now":   {customers(long), customers(strings.Replace(whole, lawful+`, `, "", 1))},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.applyEverything(class + test.before)
			if _, err := f.applyAs("operator-token", test.act); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestNobodySaysWhatWillBe(t *testing.T) {
	f := newFixture(t)
	f.clock = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	f.applyEverything(class + dataset)
	for _, document := range []string{customers(`{classes: [personal.eu], since: 2026-03-02}`), shop(`{since: "2026-03-01T12:00:01Z"}`)} {
		_, err := f.applyAs("everything-token", document)
		expectFailure(t, err, fleet.ErrInvalid, "is not yet", `field:"spec.since"`)
	}
	f.applyEverything(customers(`{classes: [personal.eu], since: 2026-03-01}`))
}

// What begins is judged; only what was there before anybody was asked is not.
func TestNothingExistsBeforeItBegins(t *testing.T) {
	f := newFixture(t)
	f.clock = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	f.applyEverything(class)
	begins := func(from string) string {
		return customers(`{classes: [personal.eu], bindings: [` + strings.Replace(found, "}", ", from: "+from+"}", 1) + `]}`)
	}
	_, err := f.applyAs("everything-token", begins("2026-03-02"))
	expectFailure(t, err, fleet.ErrInvalid, "does not begin on 2026-03-02", `field:"spec.bindings[0].from"`)
	f.applyEverything(begins("2026-03-01"))
}

// TestDeclaredAgainItIsStillWhatItWas: deleting is no way round the guard.
func TestDeclaredAgainItIsStillWhatItWas(t *testing.T) {
	f := newFixture(t)
	f.applyEverything(class + customers(`{classes: [personal.eu], facts: {secrecy: {value: professional, source: attested}}}`))
	if _, err := f.as("operator-token").Delete(t.Context(), connect.NewRequest(&fleetv1.DeleteRequest{Kind: "Dataset", Name: "customers"})); err != nil {
		t.Fatal(err)
	}
	_, err := f.applyAs("operator-token", customers(`{classes: [personal]}`))
	expectFailure(t, err, fleet.ErrDenied, "no longer personal.eu", `field:"spec.classes"`, `field:"spec.facts.secrecy"`)
	if _, err := f.applyAs("compliance-token", customers(`{classes: [personal]}`)); err != nil {
		t.Errorf("by a compliance officer: %v", err)
	}
	if _, err := f.applyAs("operator-token", customers(`{classes: [personal], title: other}`)); err != nil {
		t.Errorf("after that: %v", err)
	}
}

func TestDeletionsOfComplianceOfficers(t *testing.T) {
	f := newFixture(t)
	f.applyEverything(profile + class + strings.Replace(region, "small}", "small, data: [{classes: [personal.eu]}]}", 1) +
		customers(`{classes: [personal.eu], bindings: [`+found+`]}`))
	for _, ref := range []fleet.Ref{{Kind: fleet.KindRegion, Name: "aws/eu-west-3"}, {Kind: fleet.KindDataset, Name: "customers"}} {
		request := func() *connect.Request[fleetv1.DeleteRequest] {
			return connect.NewRequest(&fleetv1.DeleteRequest{Kind: string(ref.Kind), Name: ref.Name})
		}
		_, err := f.as("admin-token").Delete(t.Context(), request())
		expectFailure(t, err, fleet.ErrDenied, "take away", "it takes the role compliance")
		if _, err := f.as("everything-token").Delete(t.Context(), request()); err != nil {
			t.Errorf("%s by a compliance officer: %v", ref, err)
		}
	}
}

// TestWhatAnExceptionIsForStays: what two people look at is not made something
// else under their hands.
func TestWhatAnExceptionIsForStays(t *testing.T) {
	for subject, acts := range map[string]map[string]string{
		"Dataset": {
			"spec.classes": customers(`{classes: [personal.eu, personal], bindings: [` + lawful + `]}`),
		},
		"Workload": {
			"spec.classes":  customers(`{classes: [personal.eu, personal], bindings: [` + lawful + `]}`),
			"spec.datasets": shop(`{datasets: [{dataset: customers, facets: [processing, telemetry]}], regions: [aws/eu-west-3]}`),
			"spec.classes ": shop(`{datasets: [{dataset: customers}], classes: [{classes: [personal]}]}`),
		},
	} {
		t.Run(subject, func(t *testing.T) {
			f := exceptionFixture(t)
			name := map[string]string{"Dataset": "customers", "Workload": "shop"}[subject]
			spec := wanted(map[string]any{"subject": map[string]any{"kind": subject, "name": name}, "facets": []any{"processing"}})
			if _, err := f.request("operator-token", "x", spec); err != nil {
				t.Fatal(err)
			}
			refused := func(when string) {
				t.Helper()
				for field, act := range acts {
					_, err := f.applyAs("everything-token", act)
					expectFailure(t, err, fleet.ErrConflict, "Exception x was asked for", "revoked first", fmt.Sprintf("field:%q", strings.TrimSpace(field)))
				}
				_, err := f.as("everything-token").Delete(t.Context(), connect.NewRequest(&fleetv1.DeleteRequest{Kind: subject, Name: name}))
				expectFailure(t, err, fleet.ErrConflict, "in use by", "Exception x")
				if t.Failed() {
					t.Log(when)
				}
			}
			refused("requested")
			for _, token := range []string{"approver-token", "approver-2-token"} {
				if _, err := f.approve(token, "x"); err != nil {
					t.Fatal(err)
				}
			}
			refused("approved")
			if _, err := f.applyAs("everything-token", customers(`{title: other, classes: [personal.eu], bindings: [`+lawful+`]}`)+shop(`{}`)); err != nil {
				t.Errorf("doing less: %v", err)
			}
			f.afterRevocation(acts)
		})
	}
}

// afterRevocation revokes the exception and expects every act to pass.
func (f *fixture) afterRevocation(acts map[string]string) {
	f.t.Helper()
	if _, err := f.revoke("compliance-token", "x", "over"); err != nil {
		f.t.Fatal(err)
	}
	f.applyEverything(workload)
	for _, act := range acts {
		f.applyEverything(act)
	}
}

func TestAVersionIsOneText(t *testing.T) {
	f := newFixture(t)
	f.applyEverything(class + group + policy)
	for kind, document := range map[string]string{"policy": strings.Replace(policy, "storage, processing", "storage", 1), "group": strings.Replace(group, "FR", "DE", 1)} {
		_, err := f.applyAs("compliance-token", document)
		expectFailure(t, err, fleet.ErrInvalid, `version \"1\" was recorded`, `field:"spec.version"`)
		second := strings.Replace(document, `version: "1"`, `version: "2"`, 1)
		if _, err := f.applyAs("compliance-token", second); err != nil {
			t.Errorf("%s: a new version: %v", kind, err)
		}
		_, err = f.applyAs("compliance-token", document)
		expectFailure(t, err, fleet.ErrInvalid, "a version never changes")
	}
	f.applyEverything(policy) // back to the first text, by its own name
	for _, ref := range []fleet.Ref{{Kind: fleet.KindResidencyPolicy, Name: "eu-personal-data"}} {
		if _, err := f.as("compliance-token").Delete(t.Context(), connect.NewRequest(&fleetv1.DeleteRequest{Kind: string(ref.Kind), Name: ref.Name})); err != nil {
			t.Fatal(err)
		}
	}
	_, err := f.applyAs("compliance-token", strings.Replace(policy, "storage, processing", "storage", 1))
	expectFailure(t, err, fleet.ErrInvalid, "a version never changes")
	f.applyEverything(strings.Replace(policy, "metadata: {name: eu-personal-data}", "metadata: {name: eu-personal-data, labels: {law: gdpr}}", 1))
}

// What runs in a cluster is judged by the region its document names.
func TestAClusterNeverMoves(t *testing.T) {
	f := newFixture(t)
	f.applyEverything(profile + region + secondRegion + cluster)
	before := f.revision()
	moved := strings.Replace(cluster, "aws/eu-west-3", "gcp/europe-west4", 1)
	for _, token := range []string{"admin-token", "everything-token"} {
		_, err := f.applyAs(token, moved)
		expectFailure(t, err, fleet.ErrConflict, "it is in aws/eu-west-3; a cluster never moves", `field:"spec.region"`)
	}
	if f.revision() != before {
		t.Error("something was written")
	}
	f.applyEverything(cluster + strings.Replace(moved, "first", "second", 1))
	if _, err := f.as("admin-token").Delete(t.Context(), connect.NewRequest(&fleetv1.DeleteRequest{Kind: "Cluster", Name: "first"})); err != nil {
		t.Fatal(err)
	}
	f.applyEverything(moved) // it is another one
}
