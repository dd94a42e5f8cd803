package report_test

import (
	"context"
	"encoding/json"
	"flag"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"k8s.io/klog/v2"

	"github.com/meridian-fleet/meridian/internal/evidence"
	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/inventory"
)

var (
	update     = flag.Bool("update", false, "write what the tests see into testdata")
	remade     atomic.Bool
	updatePack = flag.Bool("update-pack", false, "make testdata/pack.json anew, from a real inventory and log")
)

func TestMain(m *testing.M) {
	klog.SetSlogLogger(slog.New(slog.NewTextHandler(io.Discard, nil))) // Tessera's
	flag.Parse()
	os.Exit(m.Run())
}

// readPack reads the small pack that the renderings in testdata are of.
func readPack(t *testing.T) []byte {
	t.Helper()
	path := filepath.Join("testdata", "pack.json")
	if *updatePack && !remade.Swap(true) {
		if err := os.WriteFile(path, sealed(t, hospital(t)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	content, err := os.ReadFile(path) //nolint:gosec // ours
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// situation is what is recorded, and the report over it without recorded documents.
type situation struct {
	resources []fleet.Resource
	body      fleet.EvidenceBody
}

// sealed records a situation in a real inventory, lets a real log follow it
// and exports the pack.
func sealed(t *testing.T, s situation) []byte {
	t.Helper()
	ctx := context.Background()
	dir := t.TempDir()
	store, err := inventory.OpenSQLite(ctx, filepath.Join(dir, "inventory.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	log, err := evidence.Open(ctx, evidence.Config{Dir: filepath.Join(dir, "evidence"), Store: store})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := log.Close(); err != nil {
			t.Error(err)
		}
	}()
	for _, resource := range s.resources {
		status := resource.Status
		resource.Status = nil
		if _, err := store.Apply(ctx, "ann@example.org", []fleet.Resource{resource}, inventory.ApplyOptions{}); err != nil {
			t.Fatal(err)
		}
		if status != nil {
			err := store.UpdateStatus(ctx, "server", resource.Ref(), func(json.RawMessage) (any, error) { return status, nil })
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	changes, err := store.Changes(ctx, inventory.ChangeQuery{Kinds: evidence.Kinds})
	if err != nil {
		t.Fatal(err)
	}
	body := s.body
	body.Audit.Revision = changes[len(changes)-1].Revision
	for _, change := range changes {
		recorded := fleet.Recorded{Revision: change.Revision, At: change.At, Actor: change.Actor, Action: change.Action, Ref: change.Ref, Document: change.Document}
		switch change.Ref.Kind {
		case fleet.KindDataset, fleet.KindWorkload:
			body.Subjects = append(body.Subjects, recorded)
		case fleet.KindException:
			body.Exceptions = append(body.Exceptions, recorded)
		case fleet.KindDecision:
			body.Decisions = append(body.Decisions, recorded)
		default:
			body.Policies = append(body.Policies, recorded)
		}
	}
	content, err := log.Export(ctx, body)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func made(t *testing.T, kind fleet.Kind, name string, spec, status any) fleet.Resource {
	t.Helper()
	resource, err := fleet.NewResource(kind, name, spec, status)
	if err != nil {
		t.Fatal(err)
	}
	return resource
}

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// hospital is a small situation with one of everything, and with texts that
// would do harm where they are not escaped.
func hospital(t *testing.T) situation {
	t.Helper()
	patients := fleet.Ref{Kind: fleet.KindDataset, Name: "patients"}
	policy := fleet.ResidencyPolicySpec{
		Version: "2026-01", Title: "Health data <b>stays</b>", Summary: "Health data is kept in the EEA & nowhere else.",
		Effective: fleet.Period{From: "2026-01-01"}, TimeZone: "Europe/Berlin", AppliesTo: fleet.PolicySubjects{Classes: []string{"personal.eu.health"}},
		Rules: []fleet.Rule{
			{Name: "stays", Plain: "It may be kept in the EEA only.", Facets: []fleet.Facet{fleet.FacetStorage, fleet.FacetBackup}, AllowOnly: &fleet.Scope{Groups: []string{"EEA"}, Except: &fleet.Scope{Countries: []string{"NO"}}}, Cites: "SGB V §393"},
			{Name: "copy", Facets: []fleet.Facet{fleet.FacetStorage}, RequireCopy: &fleet.CopyRule{In: fleet.Scope{Countries: []string{"DE"}}}},
			{Name: "adequate", Facets: []fleet.Facet{fleet.FacetProcessing}, TransferIf: &fleet.TransferRule{Home: &fleet.Scope{Groups: []string{"EEA"}}, To: fleet.Scope{Groups: []string{"EU-adequate"}}, Basis: fleet.BasisAdequacy}, Cites: "GDPR Art. 45"},
			{Name: "control", Facets: []fleet.Facet{fleet.FacetKey}, When: `data.secrecy == "professional"`, Operator: &fleet.OperatorRule{NotControlledFrom: []string{"US", "CN"}}, MinimumSource: fleet.SourceAttested},
			{Name: "tell", Facets: []fleet.Facet{fleet.FacetStorage}, Obligation: &fleet.ObligationRule{Action: "notify", Text: "Tell the patients", Within: "5 business days", To: "the patients"}, Cites: "§ 34"},
		},
		NotCovered: []string{"Professional secrecy itself."}, Confidence: "medium",
		Sources: []fleet.Source{{Title: "SGB V", URL: "https://www.gesetze-im-internet.de/sgb_5/", Date: "2026-01-01"}},
	}
	exception := fleet.ExceptionSpec{
		Policy: "eu-health", Rule: "stays", Subject: patients, Facets: []fleet.Facet{fleet.FacetBackup}, Scope: fleet.Scope{Countries: []string{"US"}},
		Period: fleet.Period{From: "2026-01-01", Until: "2026-06-30"}, Reason: "Moving house; </script><script>alert(1)</script>", Reference: "risk 17",
	}
	status := fleet.ExceptionStatus{
		Phase: fleet.ExceptionApproved, RequestedBy: "ann@example.org", RequestedAt: "2026-01-02T08:00:00Z", ApprovedAt: "2026-01-04T09:00:00Z",
		Approvals: []fleet.Approval{{By: "bob@example.org", At: "2026-01-03T09:00:00Z", Comment: "until June only"}, {By: "eve@example.org", At: "2026-01-04T09:00:00Z"}},
	}
	denied := fleet.Verdict{
		Question: fleet.Question{Subject: patients, Facet: fleet.FacetStorage, Region: "azure/brazilsouth", GeoRedundant: true, Source: fleet.SourceObserved, At: noon, Existing: true},
		Findings: []fleet.Finding{{
			Policy: "eu-health", Version: "2026-01", Rule: "stays", Kind: fleet.RuleAllowOnly, Effect: fleet.EffectDenies, Class: "personal.eu.health", Dataset: "patients", Facet: fleet.FacetStorage,
			Region: "azure/southcentralus", Reason: "San Antonio is in US, which is not in EEA.", Cites: "SGB V §393",
			Facts: []fleet.UsedFact{{Name: "region.country", Value: "US", Source: fleet.SourceAttested, Reference: "catalog of azure"}, {Name: "data.secrecy"}},
		}},
		Alternatives: []fleet.Alternative{{Kind: fleet.AlternativeNoPair, Text: "allowed without geo-redundancy"}, {Kind: fleet.AlternativeMove, Text: "allowed in: aws/eu-central-1", Regions: []string{"aws/eu-central-1"}}},
	}
	allowed := fleet.Verdict{
		Question: fleet.Question{Subject: patients, Facet: fleet.FacetStorage, Region: "aws/eu-central-1", At: noon, Existing: true}, Allowed: true,
		Findings:    []fleet.Finding{{Policy: "eu-health", Version: "2026-01", Rule: "stays", Kind: fleet.RuleAllowOnly, Effect: fleet.EffectAllows, Class: "personal.eu.health", Region: "aws/eu-central-1", Reason: "Frankfurt is in DE, which is in EEA.", Cites: "SGB V §393"}},
		Obligations: []fleet.DueObligation{{Policy: "eu-health", Version: "2026-01", Rule: "tell", Action: "notify", Text: "Tell the patients", Within: "5 business days", To: "the patients", Due: ptr(noon.AddDate(0, 0, 7)), Cites: "§ 34"}},
	}
	excepted := fleet.Verdict{
		Question: fleet.Question{Subject: patients, Facet: fleet.FacetBackup, Region: "aws/us-east-1", At: noon, Existing: true}, Allowed: true,
		Findings:   []fleet.Finding{{Policy: "eu-health", Version: "2026-01", Rule: "stays", Kind: fleet.RuleAllowOnly, Effect: fleet.EffectSuspended, Region: "aws/us-east-1", Reason: "Ashburn is in US, which is not in EEA.", Cites: "SGB V §393", Exception: "moving-house"}},
		Exceptions: []fleet.UsedException{{Name: "moving-house", Rule: "eu-health/stays", Until: "2026-06-30", By: "bob@example.org, eve@example.org"}},
	}
	support := fleet.Verdict{
		Question: fleet.Question{Classes: []string{"personal.eu.health"}, Facet: fleet.FacetAccess, Region: "country/IN", At: noon},
		Findings: []fleet.Finding{{Policy: fleet.BuiltInPolicy, Rule: fleet.RuleNoRule, Kind: fleet.RuleBuiltIn, Effect: fleet.EffectDenies, Region: "country/IN", Reason: "=HYPERLINK(\"http://evil\") No rule speaks about access."}},
	}
	at := func(region, country, city string) fleet.Located {
		return fleet.Located{Subject: patients, Region: region, Country: country, City: city, Source: fleet.SourceDeclared, From: "2026-01-15", RecordedAt: noon.AddDate(0, -1, 0), RecordedBy: "ann@example.org"}
	}
	frankfurt, brazil, virginia, india := at("aws/eu-central-1", "DE", "Frankfurt"), at("azure/brazilsouth", "BR", "São Paulo"), at("aws/us-east-1", "US", "Ashburn"), at("country/IN", "IN", "")
	frankfurt.Binding, frankfurt.Facets, frankfurt.Store = "primary", []fleet.Facet{fleet.FacetStorage}, "=s3://patients"
	brazil.Placement, brazil.Facets, brazil.GeoRedundant, brazil.Pair, brazil.Source = "azure/x", []fleet.Facet{fleet.FacetStorage}, true, "azure/southcentralus", fleet.SourceObserved
	virginia.Binding, virginia.Facets = "backup", []fleet.Facet{fleet.FacetBackup}
	india.Subject, india.Classes, india.Facets = fleet.Ref{}, []string{"personal.eu.health"}, []fleet.Facet{fleet.FacetAccess}
	decision := fleet.DecisionSpec{Act: fleet.Act{Kind: "place", Actor: "ann@example.org", Region: "azure/brazilsouth"}, Verdicts: []fleet.Verdict{denied}, At: noon.AddDate(0, 0, -3)}
	return situation{
		resources: []fleet.Resource{
			made(t, fleet.KindDataClass, "personal.eu.health", fleet.DataClassSpec{Title: "Health data", Inherits: []string{"personal.eu"}}, nil),
			made(t, fleet.KindJurisdictionGroup, "EEA", fleet.JurisdictionGroupSpec{Version: "2026-01", Title: "European Economic Area", Members: []fleet.GroupMember{{Country: "DE", From: "1994-01-01", Cites: "EEA Agreement"}, {Country: "NO", From: "1994-01-01"}}}, nil),
			made(t, fleet.KindResidencyPolicy, "eu-health", policy, nil),
			made(t, fleet.KindDataset, "patients", fleet.DatasetSpec{
				Title: "Patients", Classes: []string{"personal.eu.health"},
				Facts:       map[string]fleet.DataFact{"secrecy": {Value: json.RawMessage(`"professional"`), Source: fleet.SourceAttested, Reference: "DPO, 2026-01-05"}},
				Instruments: []fleet.Instrument{{Name: "scc", Basis: fleet.BasisContract, Reference: "contracts/17", To: &fleet.Scope{Countries: []string{"IN"}}}},
			}, nil),
			made(t, fleet.KindException, "moving-house", exception, status),
			made(t, fleet.KindDecision, "d-17", decision, nil),
		},
		body: fleet.EvidenceBody{
			Title: "Residency of <patients> & co.", MadeAt: noon.Add(time.Minute), MadeBy: "ann@example.org", Version: "1.0.0",
			Moment: fleet.Moment{AsOf: noon},
			Audit: fleet.AuditReport{
				Moment: fleet.Moment{AsOf: noon}, At: noon.Add(30 * time.Second), Violations: 2, Suspended: 1,
				Places:   []fleet.Audited{{Located: frankfurt, Verdicts: []fleet.Verdict{allowed}}, {Located: brazil, Verdicts: []fleet.Verdict{denied}}, {Located: virginia, Verdicts: []fleet.Verdict{excepted}}, {Located: india, Verdicts: []fleet.Verdict{support}}},
				Warnings: []fleet.PolicyWarning{{Kind: fleet.WarningStyle, Message: "a rule without citation", Rules: []string{"eu-health/copy"}}},
			},
			Matrix: []fleet.Possible{{Region: "aws/eu-central-1", Allowed: true, Verdict: allowed}, {Region: "azure/brazilsouth", Verdict: denied}},
			Catalog: []fleet.RegionFacts{
				{Provider: "aws", ID: "eu-central-1", City: "Frankfurt", Country: "DE", Facts: map[string]fleet.DataFact{"certifications": {Value: json.RawMessage(`["C5"]`), Source: fleet.SourceAttested}}},
				{Provider: "aws", ID: "us-east-1", City: "Ashburn", Country: "US"}, {Provider: "azure", ID: "brazilsouth", City: "São Paulo", Country: "BR", ReplicaPair: "southcentralus"},
				{Provider: "azure", ID: "southcentralus", City: "San Antonio", Country: "US"},
			},
			Disclaimer: "This is not legal advice.",
		},
	}
}

func ptr[T any](value T) *T { return &value }
