package enforce_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/residency"
	"github.com/meridian-fleet/meridian/internal/residency/enforce"
)

// parametersOf are those of a cluster in a region.
func parametersOf(t testing.TB, in enforce.Input, region string) map[string]string {
	t.Helper()
	compiler, err := enforce.New(in)
	if err != nil {
		t.Fatal(err)
	}
	objects, err := compiler.Guardrails(region)
	if err != nil {
		t.Fatal(err)
	}
	for _, object := range objects {
		var found struct {
			Kind string            `json:"kind"`
			Data map[string]string `json:"data"`
		}
		if err := json.Unmarshal(object, &found); err != nil {
			t.Fatal(err)
		}
		if found.Kind == "ConfigMap" {
			return found.Data
		}
	}
	t.Fatal("no parameters")
	return nil
}

func TestParameters(t *testing.T) {
	t.Parallel()
	in := input(t)
	for region, wanted := range map[string]map[string]string{
		"aws/eu-central-1": {
			"region": "aws/eu-central-1", "regionID": "eu-central-1", "zones": "^eu-central-1[a-z]$", "storageClasses": "meridian-regional", "unlabelled": "admitted",
			"processing.class.public": "allowed", "storage.class.public": "allowed",
			"processing.class.personal.eu": "allowed", "storage.class.personal.eu": "allowed",
			"processing.class.payments.in":  "denied by rbi-payments/only-india (RBI/2017-18/153): ",
			"storage.class.payments.in":     "denied by rbi-payments/only-india (RBI/2017-18/153): ",
			"processing.class.defense.us":   "denied by itar/gov-partitions (22 CFR 120.54): ",
			"processing.class.nobody.wrote": "denied by meridian/no-rule: ",
			"storage.class.personal.vn":     "denied by vietnam-local-copy/a-copy-at-home (Decree 53/2022 Art. 26): ",
			"storage.dataset.readers":       "allowed", // its copy in Hanoi counts
			"classes.dataset.customers":     "personal.eu",
			"processing.dataset.customers":  "allowed",
			"processing.workload.checkout":  "allowed",
			"classes.workload.checkout":     "personal.eu,public",
		},
		"aws/sa-east-1": {
			"storage.class.personal.eu":    "denied by eu-personal-data/stays-in-eea (GDPR Art. 44): ",
			"storage.dataset.customers":    "allowed until 2026-10-01T00:00:00Z", // the exception
			"processing.dataset.customers": "allowed until 2027-01-01T00:00:00Z", // the contract
			"processing.workload.checkout": "allowed until 2027-01-01T00:00:00Z",
			"processing.class.personal.eu": "denied by eu-personal-data/processing-",
		},
		"gcp/europe-west2": {
			"processing.class.personal.eu": "allowed until 2031-12-28T00:00:00Z", // the adequacy decision
			"storage.class.personal.eu":    "denied by eu-personal-data/stays-in-eea",
		},
		"gcp/europe-west9": {
			"processing.class.personal.eu.health": "allowed until 2027-03-31T22:00:00Z", // a rule to come, in Berlin's time
			"zones":                               "^europe-west9-[a-z]$",
		},
		"azure/germanywestcentral": {"zones": "^(germanywestcentral-[0-9])?$", "processing.dataset.patients": "allowed"},
		"aws/us-gov-west-1":        {"processing.class.defense.us": "allowed", "processing.dataset.drawings": "allowed"},
		"moon/crater-1":            {"processing.class.public": "denied by meridian/unknown-region", "zones": "^crater-1-?[a-z0-9]$"},
	} {
		data := parametersOf(t, in, region)
		for key, want := range wanted {
			if got := data[key]; got != want && !(strings.HasPrefix(want, "denied by ") && strings.HasPrefix(got, want)) {
				t.Errorf("%s %s: %q, want %q", region, key, got, want)
			}
		}
	}
}

// Parameters change when what is allowed does, and at no other time: else every
// comparison of a cluster with its baseline would find a difference.
func TestParametersAreSteady(t *testing.T) {
	t.Parallel()
	in := input(t)
	read := func(at time.Time) string {
		in.At = at
		data, err := json.Marshal(parametersOf(t, in, "aws/sa-east-1"))
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	if read(march) != read(march.Add(71*time.Hour)) {
		t.Error("they change by the hour")
	}
	if read(march) == read(time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)) {
		t.Error("the end of an exception changes nothing")
	}
}

func TestWithoutDocumentsNothingLabelledIsAllowed(t *testing.T) {
	t.Parallel()
	data := parametersOf(t, enforce.Input{Catalog: catalog(t), At: march}, "aws/eu-central-1")
	for key, value := range data {
		if strings.HasPrefix(value, "allowed") || strings.HasPrefix(key, "processing.") || strings.HasPrefix(key, "storage.") {
			t.Errorf("%s: %s", key, value)
		}
	}
	if data["unlabelled"] != "admitted" {
		t.Error("unlabelled pods do not run any more")
	}
}

// A cluster's parameters have room for so much: denials get shorter before
// anything is left out, and what has no room at all is a fault.
func TestParametersFit(t *testing.T) {
	t.Parallel()
	declared := func(count int) enforce.Input {
		in := input(t)
		for i := range count {
			in.Subjects = append(in.Subjects, residency.Subject{
				Ref: fleet.Ref{Kind: fleet.KindDataset, Name: fmt.Sprintf("dataset-%d", i)}, Declared: true, Classes: []string{"payments.in"},
			})
		}
		return in
	}
	data, total := parametersOf(t, declared(1200), "aws/eu-central-1"), 0
	for key, value := range data {
		total += len(key) + len(value)
	}
	if total > 512<<10 || len(data) < 3600 {
		t.Errorf("%d bytes in %d parameters", total, len(data))
	}
	if value := data["storage.dataset.dataset-1199"]; !strings.HasPrefix(value, "denied by rbi-payments/only-india") {
		t.Errorf("a denial became %q", value)
	}
	compiler, err := enforce.New(declared(9000))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := compiler.Guardrails("aws/eu-central-1"); !errors.Is(err, fleet.ErrInvalid) || !strings.Contains(err.Error(), "KiB") {
		t.Errorf("too much: %v", err)
	}
}

func TestGuardrailsOfNoRegion(t *testing.T) {
	t.Parallel()
	compiler, err := enforce.New(input(t))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := compiler.Guardrails("frankfurt"); !errors.Is(err, fleet.ErrInvalid) {
		t.Errorf("got %v", err)
	}
}

func TestNamespacesAreNames(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"", "Istio", "istio-", `x", "default`, "a.b"} {
		if _, err := enforce.AdmissionPolicies([]string{"istio-system", name}); !errors.Is(err, fleet.ErrInvalid) || !strings.Contains(err.Error(), "kubernetes.systemNamespaces[1]") {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// dated is a dataset in a country that a contract leads to until a day.
func dated(name, until string) residency.Subject {
	return residency.Subject{
		Ref: fleet.Ref{Kind: fleet.KindDataset, Name: name}, Declared: true, Classes: []string{"personal.eu"},
		Instruments: []fleet.Instrument{{Name: "scc", Basis: "standard-contractual-clauses", Source: fleet.SourceAttested, Until: until}},
	}
}

// However many dates other data has, and policies, nothing is allowed for
// longer than it is.
func TestWhatEndsEndsAmongManyDates(t *testing.T) {
	t.Parallel()
	in := input(t)
	for i := range 200 {
		in.Subjects = append(in.Subjects, dated(fmt.Sprintf("dataset-%d", i), march.AddDate(0, 0, i+1).Format(time.DateOnly)))
	}
	data := parametersOf(t, in, "aws/sa-east-1")
	for i := range 200 {
		want := "allowed until " + march.AddDate(0, 0, i+2).Format(time.RFC3339)
		if got := data[fmt.Sprintf("processing.dataset.dataset-%d", i)]; got != want {
			t.Fatalf("dataset-%d: %q, want %q", i, got, want)
		}
	}
}

// beyond is a policy with more changes than are looked at.
func beyond(t *testing.T, in *enforce.Input) {
	t.Helper()
	spec := fleet.ResidencyPolicySpec{Version: "1", Effective: fleet.Period{From: "2020-01-01"}, AppliesTo: fleet.PolicySubjects{Classes: []string{"public"}}}
	for i := range 100 {
		day := march.AddDate(0, 0, i+1).Format(time.DateOnly)
		spec.Rules = append(spec.Rules, fleet.Rule{
			Name: fmt.Sprintf("day-%d", i), Facets: []fleet.Facet{fleet.FacetStorage}, Effective: &fleet.Period{From: day, Until: day}, AllowOnly: &fleet.Scope{Anywhere: true}, Cites: "none",
		})
	}
	policy, err := fleet.NewResource(fleet.KindResidencyPolicy, "many-days", spec, nil)
	if err != nil {
		t.Fatal(err)
	}
	in.Documents = append(in.Documents, policy)
}

func TestNothingIsAllowedWhereNobodyLooked(t *testing.T) {
	t.Parallel()
	in := input(t)
	beyond(t, &in)
	data := parametersOf(t, in, "aws/eu-central-1")
	const want = "allowed until 2026-05-05T00:00:00Z" // the 65th change from the second of March on
	if got := data["processing.class.personal.eu"]; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	in.Classes = []string{"personal.eu"}
	output, err := enforce.Compile(in, enforce.TargetGCP)
	if err != nil {
		t.Fatal(err)
	}
	residual := fmt.Sprint(output.Residual)
	for _, text := range []string{"from 2026-05-05T00:00:00Z on nothing is allowed", "from 2026-05-05T00:00:00Z on europe-west10"} {
		if !strings.Contains(residual, text) {
			t.Errorf("no residual says %q: %s", text, residual)
		}
	}
	if output, err = enforce.Compile(in, enforce.TargetAWS); err != nil {
		t.Fatal(err)
	}
	call := request{action: "ec2:RunInstances", keys: map[string][]string{"aws:RequestedRegion": {"eu-central-1"}}, at: time.Date(2026, 5, 5, 0, 0, 0, 0, time.UTC)}
	if policies := checkControlPolicies(t, output.Files); !denied(t, policies, call) {
		t.Error("AWS goes on")
	}
}

// A region's certificate that runs out is as good as a rule that changes.
func TestFactsOfRegionsEnd(t *testing.T) {
	t.Parallel()
	in := input(t)
	spec := fleet.ResidencyPolicySpec{
		Version: "1", Effective: fleet.Period{From: "2020-01-01"}, AppliesTo: fleet.PolicySubjects{Classes: []string{"nobody.wrote"}},
		Rules: []fleet.Rule{{Name: "certified", Facets: []fleet.Facet{fleet.FacetStorage}, Operator: &fleet.OperatorRule{Certifications: []string{"C5"}}, Cites: "none"}},
	}
	policy, err := fleet.NewResource(fleet.KindResidencyPolicy, "certified", spec, nil)
	if err != nil {
		t.Fatal(err)
	}
	in.Documents = append(in.Documents, policy)
	in.Catalog, err = residency.NewCatalog([]fleet.RegionFacts{{
		Provider: "aws", ID: "eu-central-1", Country: "DE", Partition: "aws",
		Facts: map[string]fleet.DataFact{"certifications": {Value: json.RawMessage(`["C5"]`), Source: fleet.SourceAttested, Reference: "1", Until: "2026-06-30"}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if got := parametersOf(t, in, "aws/eu-central-1")["storage.class.nobody.wrote"]; got != "allowed until 2026-07-01T00:00:00Z" {
		t.Errorf("got %q", got)
	}
}
