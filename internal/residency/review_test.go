package residency_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/residency"
)

const classesForReview = `
- {kind: DataClass, name: p}
- {kind: DataClass, name: q}
`

// policyText is a policy about p with some rules, well written otherwise.
func policyText(name, rules string) string {
	return "- {kind: ResidencyPolicy, name: " + name + `, spec: {version: "1", effective: {from: "2026-01-01"}, appliesTo: {classes: [p]}, notCovered: [all else], rules: [` + rules + "]}}\n"
}

const everyFacet = "facets: [storage, processing, key, access, backup, replica, telemetry, metadata, transit], cites: Act 1"

func TestReview(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		documents string
		subjects  []residency.Subject
		kind      fleet.WarningKind
		message   string // part of it
		rules     []string
		from      string // when the witness is asked
	}{
		"disjoint places": {
			documents: policyText("a", "{name: de, "+everyFacet+", allowOnly: {countries: [DE]}}") + policyText("b", "{name: fr, "+everyFacet+", allowOnly: {countries: [FR]}}"),
			kind:      fleet.WarningContradiction, message: "leave no place", rules: []string{"a/de", "b/fr"},
		},
		"disjoint from a day on": {
			documents: policyText("a", "{name: de, "+everyFacet+", allowOnly: {countries: [DE]}}") +
				policyText("b", `{name: fr, `+everyFacet+`, effective: {from: "2027-02-01"}, allowOnly: {countries: [FR]}}`),
			kind: fleet.WarningContradiction, message: "from 2027-02-01 on", rules: []string{"a/de", "b/fr"}, from: "2027-02-01",
		},
		"a group that shrinks": {
			documents: `- {kind: JurisdictionGroup, name: G, spec: {version: "1", members: [{country: DE, until: "2026-12-31"}, {country: FR}]}}` + "\n" +
				policyText("a", "{name: de, "+everyFacet+", allowOnly: {countries: [DE]}}") + policyText("b", "{name: g, "+everyFacet+", allowOnly: {groups: [G]}}"),
			kind: fleet.WarningContradiction, message: "from 2027-01-01 on", rules: []string{"a/de", "b/g"}, from: "2027-01-01",
		},
		"a copy where none may be": {
			documents: policyText("a", "{name: de, "+everyFacet+", allowOnly: {countries: [DE]}}") + policyText("b", "{name: copy, facets: [storage], cites: x, requireCopy: {in: {countries: [IN]}}}"),
			kind:      fleet.WarningContradiction, message: "allow no copy", rules: []string{"b/copy", "a/de"},
		},
		"no basis leads home": {
			documents: policyText("a", "{name: de, "+everyFacet+", allowOnly: {countries: [DE]}}, {name: clauses, "+everyFacet+", transferIf: {to: {countries: [US]}, basis: consent}}"),
			kind:      fleet.WarningContradiction, message: "leave no place", rules: []string{"a/clauses", "a/de"},
		},
		"only under some facts": {
			documents: policyText("a", `{name: de, `+everyFacet+`, when: data.sensitive, allowOnly: {countries: [DE]}}, {name: home, `+everyFacet+`, allowOnly: {countries: [DE, FR]}}`) +
				policyText("b", `{name: fr, `+everyFacet+`, when: "data.subjects > 1000", allowOnly: {countries: [FR]}}`),
			kind: fleet.WarningContradiction, message: "when data.sensitive is true and data.subjects is 1001", rules: []string{"a/de", "b/fr"},
		},
		"classes a dataset combines": {
			documents: policyText("a", "{name: de, "+everyFacet+", allowOnly: {countries: [DE]}}") + strings.Replace(policyText("b", "{name: fr, "+everyFacet+", allowOnly: {countries: [FR]}}"), "[p]", "[q]", 1),
			subjects:  []residency.Subject{{Ref: fleet.Ref{Kind: fleet.KindDataset, Name: "d"}, Declared: true, Classes: []string{"q", "p"}}},
			kind:      fleet.WarningContradiction, message: "p and q (together in Dataset d)", rules: []string{"a/de", "b/fr"},
		},
		"denies everything": {
			documents: policyText("a", `{name: nobody, `+everyFacet+`, operator: {operators: [Nobody]}}`),
			kind:      fleet.WarningDeniesAll, message: "a/nobody denies storage, processing, key, access, backup, replica, telemetry, metadata, transit of p everywhere", rules: []string{"a/nobody"},
		},
		"nothing at all": {
			documents: policyText("a", `{name: nobody, `+everyFacet+`, operator: {operators: [Nobody]}}`),
			kind:      fleet.WarningDeniesAll, message: "These policies deny everything",
		},
		"allows everything": {
			documents: policyText("a", "{name: any, "+everyFacet+", allowOnly: {anywhere: true}}"),
			kind:      fleet.WarningAllowsAll, message: "These policies allow everything they speak about",
		},
		"allows everything with data that somebody has": {
			documents: policyText("a", "{name: any, "+everyFacet+", allowOnly: {anywhere: true}}"),
			subjects:  []residency.Subject{{Ref: fleet.Ref{Kind: fleet.KindDataset, Name: "d"}, Declared: true, Classes: []string{"p"}}},
			kind:      fleet.WarningAllowsAll, message: "Everything with p is allowed everywhere", rules: []string{"a/any"},
		},
		"allows everything without saying so": {
			documents: policyText("a", "{name: copies, "+everyFacet+", requireCopy: {in: {anywhere: true}}}"),
			kind:      fleet.WarningAllowsAll, message: "Everything with p is allowed everywhere", rules: []string{"a/copies"},
		},
		"allows everything in so many words": {
			documents: policyText("a", "{name: any, "+everyFacet+", allowOnly: {anywhere: true}}"),
			kind:      fleet.WarningStyle, message: "Everything with p is allowed everywhere", rules: []string{"a/any"},
		},
		"opens all that holds data": {
			documents: policyText("a", "{name: any, facets: [storage, processing, backup, replica], cites: x, allowOnly: {anywhere: true}}, {name: de, facets: [key, access], cites: x, allowOnly: {countries: [DE]}}"),
			subjects:  []residency.Subject{{Ref: fleet.Ref{Kind: fleet.KindDataset, Name: "d"}, Declared: true, Classes: []string{"p"}}},
			kind:      fleet.WarningAllowsAll, message: "storage, processing, backup, replica of p is allowed everywhere", rules: []string{"a/any"},
		},
		"opens keys alone": {
			documents: policyText("a", "{name: keys, facets: [key, transit], cites: x, requireCopy: {in: {anywhere: true}, copies: [key, transit]}}, {name: de, facets: [storage], cites: x, allowOnly: {countries: [DE]}}"),
			subjects:  []residency.Subject{{Ref: fleet.Ref{Kind: fleet.KindDataset, Name: "d"}, Declared: true, Classes: []string{"p"}}},
			kind:      fleet.WarningStyle, message: "key, transit of p is allowed everywhere", rules: []string{"a/keys"},
		},
		"no rule about a facet": {
			documents: policyText("a", "{name: de, facets: [storage], cites: x, allowOnly: {countries: [DE]}}"),
			subjects:  []residency.Subject{{Ref: fleet.Ref{Kind: fleet.KindDataset, Name: "d"}, Declared: true, Classes: []string{"p"}}},
			kind:      fleet.WarningDeniesAll, message: "No rule in force speaks about processing, key, access, backup, replica, telemetry, metadata, transit of p",
		},
		"no rule about a facet of data that nobody has": {
			documents: policyText("a", "{name: de, facets: [storage], cites: x, allowOnly: {countries: [DE]}}"),
			kind:      fleet.WarningStyle, message: "No rule in force speaks about processing, key, access, backup, replica, telemetry, metadata, transit of p",
		},
		"no policy about a class": {
			documents: policyText("a", "{name: de, "+everyFacet+", allowOnly: {countries: [DE]}}"),
			subjects:  []residency.Subject{{Ref: fleet.Ref{Kind: fleet.KindDataset, Name: "d"}, Declared: true, Classes: []string{"q"}}},
			kind:      fleet.WarningDeniesAll, message: "No policy in force speaks about q",
		},
		"no policy about a class that nobody uses": {
			documents: policyText("a", "{name: de, "+everyFacet+", allowOnly: {countries: [DE]}}"),
			kind:      fleet.WarningUnused, message: "No policy in force speaks about q, and no data is declared to be of it",
		},
		"certified nowhere": {
			documents: policyText("a", "{name: c5, "+everyFacet+", operator: {certifications: [SecNumCloud]}}"),
			subjects:  []residency.Subject{{Ref: fleet.Ref{Kind: fleet.KindDataset, Name: "d"}, Declared: true, Classes: []string{"p"}}},
			kind:      fleet.WarningDeniesAll, message: "of no place of the catalog are the facts known", rules: []string{"a/c5"},
		},
		"certified nowhere, but nobody has such data": {
			documents: policyText("a", "{name: c5, "+everyFacet+", operator: {certifications: [SecNumCloud]}}"),
			kind:      fleet.WarningStyle, message: "of no place of the catalog are the facts known", rules: []string{"a/c5"},
		},
		"never in force": {
			documents: policyText("a", `{name: de, `+everyFacet+`, effective: {until: "2020-01-01"}, allowOnly: {countries: [DE]}}`),
			kind:      fleet.WarningUnused, message: "never in force", rules: []string{"a/de"},
		},
		"no class is both": {
			documents: policyText("a", `{name: de, `+everyFacet+`, classes: [q], allowOnly: {countries: [DE]}}`),
			kind:      fleet.WarningUnused, message: "never applies", rules: []string{"a/de"},
		},
		"a class nobody declared": {
			documents: strings.Replace(policyText("a", `{name: de, `+everyFacet+`, allowOnly: {countries: [DE]}}`), "[p]", "[pp]", 1),
			kind:      fleet.WarningUnused, message: "class pp, which nobody declared",
		},
		"a group nobody declared": {
			documents: policyText("a", `{name: de, `+everyFacet+`, allowOnly: {groups: [EEE]}}`) + `- {kind: JurisdictionGroup, name: EEA, spec: {version: "1", members: [{country: DE}]}}`,
			kind:      fleet.WarningUnused, message: `the group EEE, which a/de names (did you mean "EEA"?)`, rules: []string{"a/de"},
		},
		"a group nobody uses": {
			documents: policyText("a", `{name: de, `+everyFacet+`, allowOnly: {countries: [DE]}}`) + `- {kind: JurisdictionGroup, name: EEA, spec: {version: "1", members: [{country: DE}]}}`,
			kind:      fleet.WarningUnused, message: "names the group EEA",
		},
		"a region no catalog has": {
			documents: policyText("a", `{name: de, `+everyFacet+`, allowOnly: {regions: [aws/eu-central-11]}}`),
			kind:      fleet.WarningUnused, message: `did you mean "aws/eu-central-1"?`, rules: []string{"a/de"},
		},
		"no citation": {
			documents: policyText("a", `{name: de, facets: [storage], allowOnly: {countries: [DE]}}`),
			kind:      fleet.WarningStyle, message: "no citation", rules: []string{"a/de"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			catalog := catalogOf(t, regions)
			book := bookOf(t, classesForReview+test.documents)
			warnings := book.Review(catalog, instant(t, "2026-03-01"), test.subjects)
			at := slices.IndexFunc(warnings, func(w fleet.PolicyWarning) bool {
				return w.Kind == test.kind && strings.Contains(w.Message, test.message)
			})
			if at < 0 {
				t.Fatalf("no warning %s: …%s… among\n%v", test.kind, test.message, warnings)
			}
			warning := warnings[at]
			if test.rules != nil && !slices.Equal(warning.Rules, test.rules) {
				t.Errorf("rules %v, want %v", warning.Rules, test.rules)
			}
			checkWitness(t, book, catalog, warning, test.from)
		})
	}
}

// checkWitness asks what a warning gives as its witness: the answer must bear
// it out.
func checkWitness(t *testing.T, book *residency.Rulebook, catalog *residency.Catalog, warning fleet.PolicyWarning, from string) {
	t.Helper()
	witness := warning.Witness
	if witness == nil || witness.Facet == "" {
		return
	}
	if from != "" && !witness.At.Equal(instant(t, from)) {
		t.Errorf("the witness is asked at %s, want %s", witness.At, from)
	}
	if strings.Contains(warning.Message, " when data.") {
		return // a question has no facts
	}
	subject := residency.Subject{Declared: true, Classes: witness.Classes}
	verdict := residency.Reference(book, catalog, witness.At, subject, *witness)
	if want := strings.Contains(warning.Message, "allowed everywhere"); verdict.Allowed != want {
		t.Errorf("%s: the witness is allowed: %v", warning.Message, verdict.Allowed)
	}
}

// Well-written policies have nothing to warn about.
func TestReviewIsQuiet(t *testing.T) {
	t.Parallel()
	book := bookOf(t, "- {kind: DataClass, name: p}\n"+policyText("a", "{name: de, "+everyFacet+", allowOnly: {countries: [DE, FR]}}"))
	if warnings := book.Review(catalogOf(t, regions), instant(t, "2026-03-01"), nil); len(warnings) > 0 {
		t.Errorf("%v", warnings)
	}
}

// That keys and what passes through may be anywhere is nothing to warn about
// where a rule says so.
func TestReviewIsQuietAboutOpenKeys(t *testing.T) {
	t.Parallel()
	book := bookOf(t, "- {kind: DataClass, name: p}\n"+policyText("a", "{name: keys, facets: [key, transit], cites: x, allowOnly: {anywhere: true}}, "+
		"{name: de, facets: [storage, processing, access, backup, replica, telemetry, metadata], cites: x, allowOnly: {countries: [DE]}}"))
	subjects := []residency.Subject{{Ref: fleet.Ref{Kind: fleet.KindDataset, Name: "d"}, Declared: true, Classes: []string{"p"}}}
	if warnings := book.Review(catalogOf(t, regions), instant(t, "2026-03-01"), subjects); len(warnings) > 0 {
		t.Errorf("%v", warnings)
	}
}
