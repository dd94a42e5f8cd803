package residency_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/residency"
)

// manyRegions is a world of the size of the three clouds together.
func manyRegions(count int) []fleet.RegionFacts {
	countries := []string{"DE", "FR", "NL", "IE", "SE", "GB", "CH", "US", "CA", "BR", "IN", "SG", "JP", "KR", "AU", "ZA", "AE", "ID", "IT", "ES"}
	operators := map[string]string{"aws": "Amazon Web Services", "azure": "Microsoft Corporation", "gcp": "Google Cloud"}
	var list []fleet.RegionFacts
	for i := range count {
		provider := []string{"aws", "azure", "gcp"}[i%3]
		list = append(list, fleet.RegionFacts{
			Provider: provider, ID: fmt.Sprintf("region-%d", i), City: fmt.Sprintf("City %d", i), Country: countries[i%len(countries)],
			Partition: provider, Operator: operators[provider], Jurisdictions: []string{"US"}, ReplicaPair: fmt.Sprintf("region-%d", (i+3)%count),
		})
	}
	return list
}

// benchmarkRules is a corpus: count rules about classes of eight regimes, two
// of five about storage, with every kind of rule and one condition in five.
func benchmarkRules(tb testing.TB, count int) []fleet.Resource {
	tb.Helper()
	var resources []fleet.Resource
	add := func(kind fleet.Kind, name string, spec any) {
		resource, err := fleet.NewResource(kind, name, spec, nil)
		if err != nil {
			tb.Fatal(err)
		}
		resources = append(resources, resource)
	}
	regimes := []string{"eu", "uk", "ch", "in", "us", "br", "jp", "ae"}
	homes := [][]string{{"DE", "FR", "NL", "IE", "SE", "IT", "ES"}, {"GB", "DE"}, {"CH", "DE"}, {"IN"}, {"US", "CA"}, {"BR", "DE"}, {"JP", "DE"}, {"AE"}}
	add(fleet.KindDataClass, "personal", fleet.DataClassSpec{})
	for i, regime := range regimes {
		add(fleet.KindDataClass, "personal."+regime, fleet.DataClassSpec{})
		group := fleet.JurisdictionGroupSpec{Version: "1"}
		for _, country := range homes[i] {
			group.Members = append(group.Members, fleet.GroupMember{Country: country, From: "2000-01-01"})
		}
		add(fleet.KindJurisdictionGroup, "home-"+regime, group)
	}
	for i := range (count + 9) / 10 {
		regime := i % len(regimes)
		spec := fleet.ResidencyPolicySpec{
			Version: "1", Effective: fleet.Period{From: "2020-01-01"},
			AppliesTo: fleet.PolicySubjects{Classes: []string{"personal." + regimes[regime]}},
		}
		for j := range min(10, count-10*i) {
			spec.Rules = append(spec.Rules, benchmarkRule(j, "home-"+regimes[regime]))
		}
		add(fleet.KindResidencyPolicy, fmt.Sprintf("policy-%d", i), spec)
	}
	return resources
}

func benchmarkRule(number int, home string) fleet.Rule {
	in := fleet.Scope{Groups: []string{home}}
	rule := fleet.Rule{Name: fmt.Sprintf("rule-%d", number), Plain: "Data stays at home", Cites: fmt.Sprintf("Act %d", number)}
	rule.Facets = [][]fleet.Facet{{fleet.FacetStorage, fleet.FacetBackup}, {fleet.FacetProcessing}, {fleet.FacetKey}, {fleet.FacetStorage, fleet.FacetReplica}, {fleet.FacetAccess}}[number%5]
	switch number {
	case 1, 6:
		rule.TransferIf = &fleet.TransferRule{Home: &in, To: fleet.Scope{Countries: []string{"CH", "GB", "JP"}}, Basis: fleet.BasisAdequacy}
	case 3:
		rule.When, rule.Operator = `data.secrecy == "professional"`, &fleet.OperatorRule{NotControlledFrom: []string{"US"}}
	case 5:
		rule.RequireCopy = &fleet.CopyRule{In: in}
	case 8:
		rule.When, rule.AllowOnly = `region.provider != "aws" || data.subjects < 1000`, &in
	case 9:
		rule.Obligation = &fleet.ObligationRule{Action: "record", Text: "note it", Within: "5 business days"}
	default:
		rule.AllowOnly = &in
	}
	return rule
}

func benchmarkSubject(number int) residency.Subject {
	regime := []string{"eu", "uk", "ch", "in", "us", "br", "jp", "ae"}[number%8]
	return residency.Subject{
		Ref: fleet.Ref{Kind: fleet.KindDataset, Name: fmt.Sprintf("dataset-%d", number)}, Declared: true, Classes: []string{"personal." + regime},
		Facts: map[string]fleet.DataFact{
			"secrecy": {Value: json.RawMessage(`"none"`), Source: fleet.SourceAttested}, "subjects": {Value: json.RawMessage(`500`)},
		},
	}
}

var benchmarkAt = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

func benchmarkWorld(b *testing.B, rules int) *residency.Compiled {
	b.Helper()
	book, err := residency.NewRulebook(benchmarkRules(b, rules))
	if err != nil {
		b.Fatal(err)
	}
	c, err := book.Compile(catalogOf(b, manyRegions(155)), benchmarkAt)
	if err != nil {
		b.Fatal(err)
	}
	return c
}

func BenchmarkAllows(b *testing.B) {
	for _, rules := range []int{10, 100, 1000} {
		b.Run(fmt.Sprint(rules), func(b *testing.B) {
			c := benchmarkWorld(b, rules)
			p, names := c.Prepare(benchmarkSubject(0)), c.Catalog().Regions()
			p.Allowed(fleet.FacetStorage)
			b.ReportAllocs()
			next := 0
			for b.Loop() {
				p.AllowsRegion(fleet.FacetStorage, names[next])
				if next++; next == len(names) {
					next = 0
				}
			}
		})
	}
}

func BenchmarkExplain(b *testing.B) {
	for _, rules := range []int{10, 100, 1000} {
		b.Run(fmt.Sprint(rules), func(b *testing.B) {
			c := benchmarkWorld(b, rules)
			p, names := c.Prepare(benchmarkSubject(0)), c.Catalog().Regions()
			q := fleet.Question{Subject: fleet.Ref{Kind: fleet.KindDataset, Name: "dataset-0"}, Facet: fleet.FacetStorage, At: benchmarkAt}
			b.ReportAllocs()
			next := 0
			for b.Loop() {
				q.Region = names[next]
				c.Explain(p, q)
				if next++; next == len(names) {
					next = 0
				}
			}
		})
	}
}

func BenchmarkJudge(b *testing.B) {
	for _, rules := range []int{100, 1000} {
		b.Run(fmt.Sprint(rules), func(b *testing.B) {
			c := benchmarkWorld(b, rules)
			p, names := c.Prepare(benchmarkSubject(0)), c.Catalog().Regions()
			q := fleet.Question{Subject: fleet.Ref{Kind: fleet.KindDataset, Name: "dataset-0"}, Facet: fleet.FacetStorage, At: benchmarkAt}
			b.ReportAllocs()
			next := 0
			for b.Loop() {
				q.Region = names[next]
				c.Judge(p, q)
				if next++; next == len(names) {
					next = 0
				}
			}
		})
	}
}

func BenchmarkAllowedRegions(b *testing.B) {
	c := benchmarkWorld(b, 1000)
	var uses []residency.PreparedUse
	for i := range 5 {
		use := residency.Use{Prepared: c.Prepare(benchmarkSubject(i)), Facets: []fleet.Facet{fleet.FacetStorage, fleet.FacetProcessing}}
		uses = append(uses, c.PrepareUse(fleet.Ref{Kind: fleet.KindWorkload, Name: "w"}, use, nil))
	}
	var set residency.Set
	b.ReportAllocs()
	for b.Loop() {
		residency.AllowedRegions(&set, uses)
	}
}

func BenchmarkPrepare(b *testing.B) {
	c := benchmarkWorld(b, 1000)
	subject := benchmarkSubject(0)
	b.ReportAllocs()
	for b.Loop() {
		c.Prepare(subject).Allowed(fleet.FacetStorage)
	}
}

func BenchmarkCompile(b *testing.B) {
	book, err := residency.NewRulebook(benchmarkRules(b, 1000))
	if err != nil {
		b.Fatal(err)
	}
	catalog := catalogOf(b, manyRegions(155))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := book.Compile(catalog, benchmarkAt); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkNewRulebook(b *testing.B) {
	documents := benchmarkRules(b, 1000)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := residency.NewRulebook(documents); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkAudit judges a million placements of ten thousand datasets, each
// with the rules that decided, in one go.
func BenchmarkAudit(b *testing.B) {
	const datasets, each = 10_000, 100
	c := benchmarkWorld(b, 100)
	names := c.Catalog().Regions()
	b.ReportAllocs()
	for b.Loop() {
		violations := 0
		for i := range datasets {
			p := c.Prepare(benchmarkSubject(i))
			q := fleet.Question{Subject: fleet.Ref{Kind: fleet.KindDataset, Name: "d"}, At: benchmarkAt, Source: fleet.SourceObserved, Existing: true}
			for j := range each {
				q.Facet, q.Region = fleet.Facets[j%2], names[(i+j)%len(names)]
				if !c.Explain(p, q).Allowed {
					violations++
				}
			}
		}
		if violations == 0 {
			b.Fatal("no violation")
		}
	}
}

func BenchmarkReview(b *testing.B) {
	book, err := residency.NewRulebook(benchmarkRules(b, 1000))
	if err != nil {
		b.Fatal(err)
	}
	catalog := catalogOf(b, manyRegions(155))
	for b.Loop() {
		book.Review(catalog, benchmarkAt, nil)
	}
}
