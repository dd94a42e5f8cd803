package verdict_test

import (
	"strings"
	"testing"
	"time"

	"github.com/meridian-fleet/meridian/internal/cli/terminal"
	"github.com/meridian-fleet/meridian/internal/cli/verdict"
	"github.com/meridian-fleet/meridian/internal/fleet"
)

func atlas(t *testing.T) verdict.Atlas {
	t.Helper()
	atlas, err := verdict.NewAtlas([]fleet.RegionFacts{
		{Provider: "azure", ID: "brazilsouth", City: "São Paulo", Country: "BR", ReplicaPair: "southcentralus"},
		{Provider: "azure", ID: "southcentralus", City: "San Antonio", Country: "US"},
		{Provider: "gcp", ID: "asia-southeast1", City: "Singapore", Country: "SG"},
		{Provider: "country", ID: "IN", Country: "IN"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return atlas
}

func TestPlaces(t *testing.T) {
	t.Parallel()
	for place, want := range map[string]string{
		"azure/brazilsouth": "azure/brazilsouth (São Paulo, Brazil)", "gcp/asia-southeast1": "gcp/asia-southeast1 (Singapore)",
		"country/IN": "country/IN (India)", "aws/atlantis": "aws/atlantis", "country/XX": "country/XX", "": "",
	} {
		if got := atlas(t).Place(place); got != want {
			t.Errorf("%s is %q", place, got)
		}
		if got := (verdict.Atlas{}).Place(place); got != place {
			t.Errorf("without a catalog %s is %q", place, got)
		}
	}
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	crm := fleet.Ref{Kind: fleet.KindDataset, Name: "crm"}
	shop := fleet.Ref{Kind: fleet.KindWorkload, Name: "shop"}
	used := []fleet.UsedException{{Name: "x"}}
	for _, test := range []struct {
		fleet.Verdict
		want string
	}{
		{
			fleet.Verdict{Question: fleet.Question{Subject: crm, Facet: fleet.FacetStorage, Region: "azure/brazilsouth"}},
			"No. Dataset crm may not be stored in azure/brazilsouth (São Paulo, Brazil).",
		},
		{
			fleet.Verdict{Question: fleet.Question{Subject: crm, Facet: fleet.FacetBackup, Region: "azure/brazilsouth", GeoRedundant: true}, Allowed: true},
			"Yes. Dataset crm may be backed up to azure/brazilsouth (São Paulo, Brazil) with a copy in its replica pair azure/southcentralus (San Antonio, United States of America).",
		},
		{
			fleet.Verdict{Question: fleet.Question{Subject: crm, Facet: fleet.FacetStorage, Region: "gcp/asia-southeast1", GeoRedundant: true}},
			"No. Dataset crm may not be stored in gcp/asia-southeast1 (Singapore) with a copy in its replica pair.",
		},
		{
			fleet.Verdict{Question: fleet.Question{Subject: crm, Facet: fleet.FacetStorage, Region: "a/b", GeoRedundant: true, Pair: "c/d", Leaving: []string{"e/f", "g/h"}}},
			"No. Dataset crm may not be stored in a/b with a copy in its replica pair c/d after leaving e/f and g/h.",
		},
		{
			fleet.Verdict{Question: fleet.Question{Subject: crm, Facet: fleet.FacetKey, Region: "country/IN"}, Allowed: true, Exceptions: used},
			"Yes, by exception. Dataset crm may have its encryption keys in country/IN (India).",
		},
		{
			fleet.Verdict{Question: fleet.Question{Subject: crm, Facet: fleet.FacetKey, Region: "a/b"}, Exceptions: used},
			"No. Dataset crm may not have its encryption keys in a/b.",
		},
		{fleet.Verdict{Question: fleet.Question{Subject: shop, Region: "a/b"}, Allowed: true}, "Yes. Workload shop may run in a/b."},
		{fleet.Verdict{Question: fleet.Question{Subject: shop, Facet: fleet.FacetProcessing, Region: "a/b"}}, "No. Workload shop may not process its data in a/b."},
		{fleet.Verdict{Question: fleet.Question{Classes: []string{"a"}, Facet: fleet.FacetAccess, Region: "a/b"}}, "No. Data of the class a may not be looked at from a/b."},
		{fleet.Verdict{Question: fleet.Question{Classes: []string{"a", "b", "c"}, Facet: fleet.FacetTransit, Region: "a/b"}}, "No. Data of the classes a, b and c may not pass through a/b."},
		{fleet.Verdict{Question: fleet.Question{Facet: fleet.FacetStorage, Region: "a/b"}}, "No. Data without a class may not be stored in a/b."},
	} {
		if got := atlas(t).Answer(test.Verdict); got != test.want {
			t.Errorf("got  %s\nwant %s", got, test.want)
		}
	}
}

// Every facet has words of its own, for data and for workloads.
func TestEveryFacetHasWords(t *testing.T) {
	t.Parallel()
	seen := map[string]fleet.Facet{}
	for _, subject := range []fleet.Ref{{Kind: fleet.KindDataset, Name: "d"}, {Kind: fleet.KindWorkload, Name: "w"}} {
		for _, facet := range fleet.Facets {
			act := atlas(t).Act(fleet.Question{Subject: subject, Facet: facet})
			if other, twice := seen[act]; twice || strings.Contains(act, "facet") {
				t.Errorf("%s of a %s is %q, as %s", facet, subject.Kind, act, other)
			}
			seen[act] = facet
		}
	}
}

func written(print func(*terminal.Screen)) string {
	var out strings.Builder
	print(terminal.NewScreen(&out, nil, false))
	return out.String()
}

func TestWriteSaysEverythingThatDecided(t *testing.T) {
	t.Parallel()
	due := time.Date(2026, 3, 6, 0, 0, 0, 0, time.UTC)
	asked := fleet.Question{Subject: fleet.Ref{Kind: fleet.KindWorkload, Name: "shop"}, Region: "azure/brazilsouth"}
	answer := fleet.Verdict{
		Question: asked,
		Findings: []fleet.Finding{
			{Policy: "p", Version: "3", Rule: "home", Effect: fleet.EffectDenies, Class: "a", Dataset: "crm", Facet: fleet.FacetStorage, Region: "azure/brazilsouth",
				Reason: "it is abroad", Cites: "Art. 44", Facts: []fleet.UsedFact{{Name: "region.country", Value: "BR", Source: fleet.SourceAttested, Reference: "catalog"}, {Name: "data.secrecy"}}},
			{Policy: "p", Version: "3", Rule: "home", Effect: fleet.EffectDenies, Class: "a", Dataset: "logs", Facet: fleet.FacetStorage, Region: "azure/southcentralus",
				Reason: "it is abroad", Cites: "Art. 44", Facts: []fleet.UsedFact{{Name: "data.secrecy"}}},
			{Policy: "q", Rule: "keys", Effect: fleet.EffectSuspended, Reason: "no.", Exception: "x"},
		},
		Exceptions:  []fleet.UsedException{{Name: "x", Rule: "q/keys", Until: "2026-12-31", By: "ann, bob"}},
		Obligations: []fleet.DueObligation{{Policy: "p", Rule: "tell", Action: "notify", Text: "tell them.", To: "the authority", Within: "5 days", Due: &due}, {Policy: "p", Rule: "maybe", Action: "assess", Text: "assess", Unsure: true}},
		Alternatives: []fleet.Alternative{
			{Kind: fleet.AlternativeMove, Text: "allowed in:", Regions: []string{"a/1", "a/2", "a/3", "a/4", "a/5", "a/6", "a/7"}},
			{Kind: fleet.AlternativeFact, Text: "allowed if data.secrecy is none"},
		},
	}
	const want = `No. Workload shop may not run in azure/brazilsouth (São Paulo, Brazil).

Rules that forbid it:
  1. p/home, version 3 (Art. 44)
     it is abroad.
     It applies to dataset crm, class a, storage; dataset logs, class a, storage, in azure/southcentralus.
     - region.country: BR (attested: catalog)
     - data.secrecy: not known

Rules that would forbid it, suspended by an exception:
  1. q/keys
     no.
     Suspended by x.

Exceptions that touch the answer:
  - exception x suspends q/keys until 2026-12-31, approved by ann, bob

What would have to be done besides:
  - notify: tell them; to the authority; within 5 days; due 2026-03-06 00:00:00Z; p/tell

What may have to be done besides (a fact it depends on is not known):
  - assess: assess; p/maybe

What would be lawful:
  - allowed in: a/1, a/2, a/3, a/4, a/5 and 2 more
  - allowed if data.secrecy is none
`
	got := written(func(screen *terminal.Screen) { atlas(t).Write(screen, answer) })
	if got != want {
		t.Errorf("got:\n%s", got)
	}
	if unknown := verdict.Unknown(answer.Findings); len(unknown) != 1 || unknown[0] != "data.secrecy" {
		t.Errorf("unknown: %q", unknown)
	}
	if deciding := verdict.Deciding(answer); len(deciding) != 1 || deciding[0] != "p/home" {
		t.Errorf("deciding: %q", deciding)
	}
}

// Nothing that others wrote can move the cursor.
func TestWriteCleans(t *testing.T) {
	t.Parallel()
	bad := "\x1b[2J\nx"
	answer := fleet.Verdict{
		Question:     fleet.Question{Subject: fleet.Ref{Kind: fleet.KindDataset, Name: bad}, Facet: fleet.FacetStorage, Region: bad},
		Findings:     []fleet.Finding{{Policy: bad, Rule: bad, Effect: fleet.EffectDenies, Reason: bad, Cites: bad, Class: bad, Facts: []fleet.UsedFact{{Name: bad, Value: bad}}}},
		Obligations:  []fleet.DueObligation{{Policy: bad, Text: bad, To: bad}},
		Exceptions:   []fleet.UsedException{{Name: bad, Rule: bad}},
		Alternatives: []fleet.Alternative{{Text: bad, Regions: []string{bad}}},
	}
	warnings := []fleet.PolicyWarning{{Kind: fleet.WarningContradiction, Message: bad, Rules: []string{bad}, Witness: &answer.Question}}
	for _, text := range []string{
		written(func(screen *terminal.Screen) { atlas(t).Write(screen, answer) }),
		written(func(screen *terminal.Screen) { verdict.Warn(screen, atlas(t), warnings) }),
		written(func(screen *terminal.Screen) {
			if err := atlas(t).Matrix(screen, []fleet.Verdict{answer}); err != nil {
				t.Error(err)
			}
		}),
	} {
		if strings.Contains(text, "\x1b") || strings.Contains(text, "\nx") {
			t.Errorf("got %q", text)
		}
	}
}

func TestWarnPutsWhatMattersFirst(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	warnings := []fleet.PolicyWarning{
		{Kind: fleet.WarningStyle, Message: "p/a cites nothing", Rules: []string{"p/a"}},
		{Kind: fleet.WarningAllowsAll, Message: "all is allowed", Witness: &fleet.Question{Classes: []string{"a"}}},
		{Kind: fleet.WarningContradiction, Message: "two rules leave nothing", Rules: []string{"p/a", "p/b"},
			Witness: &fleet.Question{Classes: []string{"a"}, Facet: fleet.FacetStorage, At: at}},
	}
	const want = `WARNING: contradiction: two rules leave nothing (p/a, p/b)
  for example: may data of the class a be stored in any region on 2026-03-01 00:00:00Z?
WARNING: allows-everything: all is allowed
Note: style: p/a cites nothing
`
	if got := written(func(screen *terminal.Screen) { verdict.Warn(screen, atlas(t), warnings) }); got != want {
		t.Errorf("got:\n%s", got)
	}
}

// An audit shows the warnings that bear on data there is.
func TestBearing(t *testing.T) {
	t.Parallel()
	about := func(kind fleet.WarningKind, classes ...string) fleet.PolicyWarning {
		return fleet.PolicyWarning{Kind: kind, Message: strings.Join(classes, "+"), Witness: &fleet.Question{Classes: classes}}
	}
	var chosen []string
	for _, warning := range verdict.Bearing([]fleet.PolicyWarning{
		about(fleet.WarningContradiction, "personal.eu", "payments.in"), about(fleet.WarningContradiction, "health.us"), about(fleet.WarningDeniesAll, "personal.eu"),
		about(fleet.WarningDeniesAll, "itar.us"), about(fleet.WarningAllowsAll, "personal.eu"), about(fleet.WarningUnused, "personal.eu"),
		{Kind: fleet.WarningDeniesAll, Message: "everything"},
	}, []string{"personal.eu", "public"}) {
		chosen = append(chosen, warning.Message)
	}
	if got := strings.Join(chosen, " "); got != "personal.eu+payments.in personal.eu everything" {
		t.Errorf("%s", got)
	}
}

// The commands offered ask for what the rule forbids and no more, and not for
// days that are past.
func TestRequests(t *testing.T) {
	t.Parallel()
	today := time.Date(2026, 11, 30, 9, 0, 0, 0, time.UTC)
	deny := func(rule string, facet fleet.Facet, region string) fleet.Finding {
		return fleet.Finding{Policy: "p", Rule: rule, Effect: fleet.EffectDenies, Facet: facet, Region: region}
	}
	answer := fleet.Verdict{
		Question: fleet.Question{Subject: fleet.Ref{Kind: fleet.KindDataset, Name: "crm"}, Facet: fleet.FacetStorage, Region: "azure/brazilsouth", At: today},
		Findings: []fleet.Finding{
			deny("home", fleet.FacetStorage, "azure/southcentralus"), deny("home", fleet.FacetReplica, "azure/southcentralus"), deny("home", "", ""),
			deny("other", fleet.FacetBackup, "aws/x"),
		},
	}
	offered := fleet.Alternative{Kind: fleet.AlternativeException, Rules: []string{"p/home"}}
	places := atlas(t)
	if got := places.Requests(answer, offered); len(got) != 0 {
		t.Errorf("without a day: %q", got)
	}
	places.Today = today
	want := `fleetctl exception request --rule p/home --for dataset/crm --facet replica,storage --region azure/brazilsouth,azure/southcentralus --until 2027-03-02 --reason "say why"`
	if got := places.Requests(answer, offered); len(got) != 1 || got[0] != want {
		t.Errorf("%q", got)
	}
	answer.At = today.AddDate(0, -1, 0)
	if got := places.Requests(answer, offered); len(got) != 0 {
		t.Errorf("of a day that is past: %q", got)
	}
	if got := places.Requests(answer, fleet.Alternative{Kind: fleet.AlternativeMove}); len(got) != 0 {
		t.Errorf("of a move: %q", got)
	}
}
