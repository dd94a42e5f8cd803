package residency_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/residency"
)

// onePolicy has a class p and one policy with some rules about it.
func onePolicy(rules string) string {
	return "- {kind: DataClass, name: p}\n" + policyText("a", rules)
}

func ask(t testing.TB, text, at string, subject residency.Subject, q fleet.Question) fleet.Verdict {
	t.Helper()
	c := compiled(t, text, at)
	subject.Declared = true
	if subject.Classes == nil {
		subject.Classes = []string{"p"}
	}
	q.At = c.At()
	if q.Facet == "" {
		q.Facet = fleet.FacetStorage
	}
	return c.Judge(c.Prepare(subject), q)
}

// Transfer rules of one policy are alternatives, in the worst case over what
// is not known.
func TestTransferAlternatives(t *testing.T) {
	t.Parallel()
	const (
		us         = "{name: us, facets: [storage], transferIf: {to: {countries: [US]}, basis: adequacy}}"
		de         = "{name: de, facets: [storage], transferIf: {to: {countries: [DE]}, basis: adequacy}}"
		maybeUS    = "{name: maybe-us, facets: [storage], when: data.sensitive, transferIf: {to: {countries: [US]}, basis: adequacy}}"
		maybeDE    = "{name: maybe-de, facets: [storage], when: '!data.sensitive', transferIf: {to: {countries: [DE]}, basis: adequacy}}"
		everywhere = "{name: any, facets: [storage], allowOnly: {anywhere: true}}"
	)
	for _, test := range []struct {
		rules   []string
		allowed bool
		ids     string
	}{
		{[]string{us, de}, true, "a/us"},
		{[]string{de}, false, "a/de"},
		{[]string{us, maybeDE}, true, "a/us"},                // a satisfied rule that surely applies is enough
		{[]string{de, maybeUS}, false, "a/de"},               // the satisfied one may not apply
		{[]string{maybeUS, everywhere}, true, "a/any"},       // if it applies it is satisfied
		{[]string{maybeDE, everywhere}, false, "a/maybe-de"}, // if it applies it is not
		{[]string{maybeUS, maybeDE, everywhere}, false, "a/maybe-de"},
		{[]string{maybeUS}, false, "meridian/unknown-fact"},
	} {
		verdict := ask(t, onePolicy(strings.Join(test.rules, ", ")), "2026-03-01", residency.Subject{}, fleet.Question{Region: "aws/us-east-1"})
		effect := fleet.EffectDenies
		if verdict.Allowed {
			effect = fleet.EffectAllows
		}
		if verdict.Allowed != test.allowed || ids(verdict, effect) != test.ids {
			t.Errorf("%v: %v by %s, want %v by %s", test.rules, verdict.Allowed, ids(verdict, effect), test.allowed, test.ids)
		}
	}
}

// Unknown facts decide nothing that does not depend on them.
func TestUnknownFacts(t *testing.T) {
	t.Parallel()
	for when, want := range map[string]struct{ denies, unsure bool }{
		`data.sensitive`: {true, true},
		`data.sensitive && region.country == "DE"`:      {false, false}, // false whatever the fact is
		`data.sensitive || region.country == "US"`:      {true, false},  // true whatever the fact is
		`!data.sensitive`:                               {true, true},
		`region.country == "US" ? data.minors : false`:  {true, true},
		`data.citizens.exists(c, c == "US")`:            {true, true},
		`data.citizens.size() > 2 && data.subjects > 5`: {true, true},
		`data.subjects / 0 > 1`:                         {true, true},
		`data.purpose == region.city`:                   {true, true},
		`region.country in ["DE", "FR"]`:                {false, false},
		`"US" in region.jurisdictions`:                  {true, false},
	} {
		quoted, err := json.Marshal(when)
		if err != nil {
			t.Fatal(err)
		}
		rules := fmt.Sprintf("{name: any, facets: [storage], allowOnly: {anywhere: true}}, {name: de, facets: [storage], when: %[1]s, allowOnly: {countries: [DE]}}, {name: note, facets: [storage], when: %[1]s, obligation: {action: record, text: x}}", quoted)
		verdict := ask(t, onePolicy(rules), "2026-03-01", residency.Subject{}, fleet.Question{Region: "aws/us-east-1"})
		if verdict.Allowed == want.denies {
			t.Errorf("%s: allowed %v", when, verdict.Allowed)
		}
		if listed := len(verdict.Obligations) == 1; listed != want.denies || listed && verdict.Obligations[0].Unsure != want.unsure {
			t.Errorf("%s: obligations %v", when, verdict.Obligations)
		}
	}
}

// Exceptions are in force from the later of their beginning and the second
// approval by somebody else than who asked, until their end or revocation.
func TestInForce(t *testing.T) {
	t.Parallel()
	approvals := func(list ...string) []fleet.Approval {
		var all []fleet.Approval
		for _, one := range list {
			by, at, _ := strings.Cut(one, " ")
			all = append(all, fleet.Approval{By: by, At: at})
		}
		return all
	}
	two := approvals("ann 2026-02-01T09:00:00Z", "bob 2026-02-03T10:00:00Z")
	for name, test := range map[string]struct {
		from, until  string
		approvals    []fleet.Approval
		revoked      string
		phase        fleet.ExceptionPhase
		requester    string
		began, ended string
	}{
		"second approval":             {until: "2026-12-31", approvals: two, began: "2026-02-03T10:00:00Z", ended: "2027-01-01T00:00:00Z"},
		"later beginning":             {from: "2026-03-01", until: "2026-12-31T10:00:00Z", approvals: two, began: "2026-03-01T00:00:00Z", ended: "2026-12-31T10:00:00Z"},
		"approvals out of order":      {until: "2026-12-31", approvals: approvals("bob 2026-02-03T10:00:00Z", "ann 2026-02-01T09:00:00Z", "cid 2026-05-01T00:00:00Z"), began: "2026-02-03T10:00:00Z", ended: "2027-01-01T00:00:00Z"},
		"one person twice":            {until: "2026-12-31", approvals: approvals("ann 2026-02-01", "ann 2026-02-02")},
		"one person in other letters": {until: "2026-12-31", approvals: approvals("ann 2026-02-01", "Ann 2026-02-02")},
		"the requester":               {until: "2026-12-31", approvals: approvals("ann 2026-02-01", "zoe 2026-02-02")},
		"one":                         {until: "2026-12-31", approvals: two[:1]},
		"no end":                      {approvals: two},
		"no requester":                {until: "2026-12-31", approvals: two, requester: "-"},
		"revoked":                     {until: "2026-12-31", approvals: two, revoked: "2026-04-01T00:00:00Z", began: "2026-02-03T10:00:00Z", ended: "2026-04-01T00:00:00Z"},
		"revoked before":              {until: "2026-12-31", approvals: two, revoked: "2026-02-03T10:00:00Z"},
		"revoked, nobody knows when":  {until: "2026-12-31", approvals: two, phase: fleet.ExceptionRevoked},
		"approved after its end":      {until: "2026-02-02", approvals: two},
		"an approval without a time":  {until: "2026-12-31", approvals: append(approvals("cid soon"), two[0])},
	} {
		spec := fleet.ExceptionSpec{Period: fleet.Period{From: test.from, Until: test.until}}
		status := fleet.ExceptionStatus{RequestedBy: "zoe", Approvals: test.approvals, RevokedAt: test.revoked, Phase: test.phase}
		if test.requester == "-" {
			status.RequestedBy = ""
		}
		began, ended, ok := residency.InForce(spec, status)
		if ok != (test.began != "") {
			t.Errorf("%s: in force %v", name, ok)
		} else if ok && (!began.Equal(instant(t, test.began)) || !ended.Equal(instant(t, test.ended))) {
			t.Errorf("%s: from %s until %s, want %s until %s", name, began, ended, test.began, test.ended)
		}
	}
}

// The latest recorded version that has begun is law, also when it has ended.
func TestVersions(t *testing.T) {
	t.Parallel()
	version := func(number, from, until, country string) string {
		return `- {kind: ResidencyPolicy, name: a, spec: {version: "` + number + `", effective: {from: "` + from + `", until: "` + until + `"}, appliesTo: {classes: [p]}, rules: [{name: r, facets: [storage], allowOnly: {countries: [` + country + `]}}]}}` + "\n"
	}
	text := "- {kind: DataClass, name: p}\n" + version("1", "2025-01-01", "", "DE") + version("2", "2026-01-01", "2026-06-30", "FR") + version("3", "2027-01-01", "", "US")
	for at, want := range map[string]string{
		"2024-12-31": "meridian/no-rule", "2025-06-01": "a/r 1", "2025-12-31T23:59:59Z": "a/r 1", "2026-01-01": "a/r 2",
		"2026-06-30T23:59:59Z": "a/r 2", "2026-07-01": "meridian/no-rule", "2027-01-01": "a/r 3",
	} {
		verdict := ask(t, text, at, residency.Subject{}, fleet.Question{Region: "aws/ap-south-1"})
		if got := strings.TrimSpace(verdict.Findings[0].ID() + " " + verdict.Findings[0].Version); got != want || verdict.Allowed {
			t.Errorf("%s: %s, want %s", at, got, want)
		}
	}
}

// The hot path allocates nothing.
func TestAllocations(t *testing.T) {
	c := compiled(t, europe, "2026-03-01")
	p := c.Prepare(residency.Subject{Declared: true, Classes: []string{"health"}})
	var uses []residency.PreparedUse
	for range 5 {
		uses = append(uses, c.PrepareUse(fleet.Ref{}, residency.Use{Prepared: p}, nil))
	}
	var set residency.Set
	q := fleet.Question{Facet: fleet.FacetProcessing, Region: "azure/brazilsouth"}
	for name, call := range map[string]func(){
		"allows":          func() { p.AllowsRegion(fleet.FacetStorage, "aws/eu-central-1") },
		"allowed regions": func() { residency.AllowedRegions(&set, uses) },
		"explain":         func() { c.Explain(p, q) },
	} {
		if count := testing.AllocsPerRun(100, call); count > 0 {
			t.Errorf("%s: %v allocations", name, count)
		}
	}
	if set.Empty() || set.Len() != len(c.Catalog().Names(&set)) {
		t.Errorf("allowed regions: %v", c.Catalog().Names(&set))
	}
}

// Compiled rules and prepared subjects serve many at once, with one answer.
func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	c := compiled(t, europe, "2026-03-01")
	shared := c.Prepare(residency.Subject{Declared: true, Classes: []string{"health"}})
	var group sync.WaitGroup
	answers := make([][]string, 8)
	for worker := range answers {
		group.Go(func() {
			own := c.Prepare(residency.Subject{Ref: fleet.Ref{Kind: fleet.KindDataset, Name: fmt.Sprint(worker)}, Declared: true, Classes: []string{"health"}})
			for _, name := range c.Catalog().Regions() {
				for _, facet := range fleet.Facets {
					for _, p := range []*residency.Prepared{shared, own} {
						verdict := c.Judge(p, fleet.Question{Facet: facet, Region: name, GeoRedundant: worker%2 == 0})
						if worker%2 == 0 {
							verdict = c.Judge(p, fleet.Question{Facet: facet, Region: name})
						}
						for i := range verdict.Findings { // a verdict is its owner's to change
							verdict.Findings[i].Region = "changed"
						}
						answers[worker] = append(answers[worker], strings.Join(essence(c.Explain(p, fleet.Question{Facet: facet, Region: name})), ", "))
					}
				}
			}
		})
	}
	group.Wait()
	for _, other := range answers[1:] {
		if !slices.Equal(answers[0], other) {
			t.Fatal("two askers got different answers")
		}
	}
	if verdict := c.Explain(shared, fleet.Question{Facet: fleet.FacetStorage, Region: "test/north"}); verdict.Findings[0].Region != "test/north" {
		t.Errorf("a verdict that was given away was changed: %v", verdict.Findings)
	}
}

func TestCatalog(t *testing.T) {
	t.Parallel()
	catalog := catalogOf(t, regions)
	if got := len(catalog.Regions()); got != len(regions) {
		t.Errorf("%d regions, want %d", got, len(regions))
	}
	if got := catalog.Len() - len(regions); got != 249 {
		t.Errorf("%d countries, want all 249 of ISO 3166-1", got)
	}
	if facts, ok := catalog.Region("country/IN"); !ok || facts.Country != "IN" || facts.Operator != "" {
		t.Errorf("country/IN: %v %v", facts, ok)
	}
	for name, list := range map[string][]fleet.RegionFacts{
		"twice":     {regions[0], regions[0]},
		"a country": {{Provider: "country", ID: "DE", Country: "DE"}},
		"too many":  manyRegions(300),
	} {
		if _, err := residency.NewCatalog(list); fleet.KindOf(err) != fleet.ErrInvalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What a denial says: why, by which facts and law, and what would be lawful.
func TestExplanation(t *testing.T) {
	t.Parallel()
	c := compiled(t, europe, "2026-03-01")
	dataset := residency.Subject{Ref: fleet.Ref{Kind: fleet.KindDataset, Name: "patients"}, Declared: true, Classes: []string{"health"}}
	verdict := c.Judge(c.Prepare(dataset), fleet.Question{Subject: dataset.Ref, Facet: fleet.FacetStorage, Region: "azure/germanywestcentral", At: time.Now()})
	finding := verdict.Findings[0]
	if want := "azure/germanywestcentral (Frankfurt, Germany): the law of United States of America reaches its operator. " +
		"Whether the rule applies depends on data.secrecy, which is not known; what is not known never helps."; finding.Reason != want {
		t.Errorf("reason %q, want %q", finding.Reason, want)
	}
	if finding.Dataset != "patients" || finding.Class != "health" || finding.Version != "1" || finding.Kind != fleet.RuleOperator {
		t.Errorf("finding %+v", finding)
	}
	want := []fleet.UsedFact{
		{Name: "region.operator", Value: "Microsoft Corporation", Source: fleet.SourceAttested, Reference: "the region catalog"},
		{Name: "region.jurisdictions", Value: "US", Source: fleet.SourceAttested, Reference: "the region catalog"},
		{Name: "data.secrecy"},
	}
	if !slices.Equal(finding.Facts, want) {
		t.Errorf("facts %+v", finding.Facts)
	}
	var texts []string
	for _, alternative := range verdict.Alternatives {
		texts = append(texts, alternative.Text)
	}
	wantTexts := []string{
		"allowed if data.secrecy is known to be none or banking or state or trade",
		"allowed in: test/south (Vienna, Austria), test/north (Oslo, Norway)",
		"allowed with an exception from eu-personal-data/no-foreign-control, approved by two people other than who asks for it",
	}
	if !slices.Equal(texts, wantTexts) {
		t.Errorf("alternatives\n%s\nwant\n%s", strings.Join(texts, "\n"), strings.Join(wantTexts, "\n"))
	}
}
