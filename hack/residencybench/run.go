package main

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/meridian-fleet/meridian/internal/compliance"
	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/residency"
	"github.com/meridian-fleet/meridian/providers/builtin"
)

// instant of all questions.
var instant = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

// rounds of which the median counts.
const rounds = 5

func run(ctx context.Context) error {
	regions, err := catalog()
	if err != nil {
		return err
	}
	fmt.Printf("%d regions, median of %d rounds; every engine in this process, in turn\n\n", len(regions), rounds)
	fmt.Println("rules   question              Meridian         OPA       cedar-go    OPA/Meridian  cedar/Meridian")
	for _, rules := range []int{10, 100, 1000} {
		if err := compare(ctx, newCorpus(rules, regions)); err != nil {
			return err
		}
	}
	fmt.Println()
	return alone(newCorpus(1000, regions))
}

func catalog() ([]fleet.RegionFacts, error) {
	catalogs, err := builtin.Regions()
	if err != nil {
		return nil, err
	}
	var regions []fleet.RegionFacts
	for provider, of := range catalogs {
		for _, region := range of {
			regions = append(regions, compliance.FactsOf(provider, region))
		}
	}
	slices.SortFunc(regions, func(a, b fleet.RegionFacts) int {
		return slices.Compare([]string{a.Provider, a.ID}, []string{b.Provider, b.ID})
	})
	return regions, nil
}

// meridian is a corpus compiled, with its datasets prepared, found by name as
// a caller finds them.
type meridian struct {
	compiled *residency.Compiled
	prepared map[string]*residency.Prepared
	corpus   corpus
}

func newMeridian(c corpus) (*meridian, error) {
	resources, err := c.resources()
	if err != nil {
		return nil, err
	}
	rulebook, err := residency.NewRulebook(resources)
	if err != nil {
		return nil, err
	}
	places, err := residency.NewCatalog(c.regions)
	if err != nil {
		return nil, err
	}
	compiled, err := rulebook.Compile(places, instant)
	if err != nil {
		return nil, err
	}
	m := &meridian{compiled: compiled, prepared: map[string]*residency.Prepared{}, corpus: c}
	for _, d := range c.datasets {
		m.prepared[d.name] = compiled.Prepare(d.subject())
	}
	return m, nil
}

// allowed looks up dataset and region by name, as the other engines do in
// their inputs.
func (m *meridian) allowed(q query) bool {
	place, known := m.compiled.Catalog().Place(m.corpus.regions[q.region].Name())
	return known && m.prepared[m.corpus.datasets[q.dataset].name].Allows(q.facet, place)
}

func (m *meridian) explained(q query) fleet.Verdict {
	d := m.corpus.datasets[q.dataset]
	return m.compiled.Explain(m.prepared[d.name], fleet.Question{
		Subject: fleet.Ref{Kind: fleet.KindDataset, Name: d.name}, Facet: q.facet, Region: m.corpus.regions[q.region].Name(), At: instant,
	})
}

// judged is explained, with the smallest changes after which it would be
// allowed, each judged again.
func (m *meridian) judged(q query) fleet.Verdict {
	d := m.corpus.datasets[q.dataset]
	return m.compiled.Judge(m.prepared[d.name], fleet.Question{
		Subject: fleet.Ref{Kind: fleet.KindDataset, Name: d.name}, Facet: q.facet, Region: m.corpus.regions[q.region].Name(), At: instant,
	})
}

func compare(ctx context.Context, c corpus) error {
	queries := c.queries()
	ours, err := newMeridian(c)
	if err != nil {
		return err
	}
	opa, err := newOPA(ctx, c, queries)
	if err != nil {
		return err
	}
	other, err := newCedar(c, queries)
	if err != nil {
		return err
	}
	if err := sameAnswers(ctx, queries, ours, opa, other); err != nil {
		return err
	}
	decide := interleaved(queries,
		func(q query) { keep(ours.allowed(q)) },
		func(q query) { allowed, _ := opa.allowed(ctx, q); keep(allowed) }, // its errors showed above
		func(q query) { keep(other.allowed(q)) })
	row(len(c.rules), "allow or deny", decide)
	explain := interleaved(queries,
		func(q query) { keep(ours.explained(q).Allowed) },
		func(q query) { denials, _ := opa.explained(ctx, q); keep(len(denials) == 0) }, // its errors showed above
		func(q query) { keep(len(other.explained(q)) == 0) })
	row(len(c.rules), "with the reasons", explain)
	elsewhere := interleaved(queries,
		func(q query) { keep(ours.judged(q).Allowed) },
		func(q query) {
			denials, _ := opa.explained(ctx, q) // its errors showed above
			keep(len(denials) == 0 || c.somewhere(q, func(q query) bool { allowed, _ := opa.allowed(ctx, q); return allowed }))
		},
		func(q query) { keep(len(other.explained(q)) == 0 || c.somewhere(q, other.allowed)) })
	row(len(c.rules), "and where else", elsewhere)
	return nil
}

// somewhere asks about all regions, as an engine without alternatives has to
// be asked for them.
func (c corpus) somewhere(q query, allowed func(query) bool) bool {
	found := 0
	for region := range c.regions {
		if allowed(query{q.dataset, q.facet, region}) {
			found++
		}
	}
	return found > 0
}

// sameAnswers compares allow and deny, and the rules that deny, of a query in
// seven (the whole of a thousand rules takes OPA minutes) and every dataset.
func sameAnswers(ctx context.Context, queries []query, ours *meridian, opa *opaEngine, other *cedarEngine) error {
	allowed := 0
	for i := 0; i < len(queries); i += 7 {
		q := queries[i]
		denials, err := opa.explained(ctx, q)
		if err != nil {
			return err
		}
		theirs, err := opa.allowed(ctx, q)
		if err != nil {
			return err
		}
		verdict := ours.explained(q)
		if got := ours.allowed(q); got != theirs || got != other.allowed(q) || got != verdict.Allowed || got != (len(denials) == 0) {
			return fmt.Errorf("different answers to %+v: Meridian %t, OPA %t, cedar %t", q, got, theirs, other.allowed(q))
		} else if got {
			allowed++
		}
		if want := rulesOf(denials); !verdict.Allowed && !slices.Equal(want, denying(verdict)) {
			return fmt.Errorf("different reasons for %+v: Meridian %v, OPA %v", q, denying(verdict), want)
		}
	}
	if allowed == 0 || allowed == (len(queries)+6)/7 {
		return fmt.Errorf("the corpus is no test: %d of %d questions are allowed", allowed, (len(queries)+6)/7)
	}
	return nil
}

// rulesOf are the names of the rules OPA names, without its way of saying
// that there is none.
func rulesOf(denials []any) []string {
	var names []string
	for _, denial := range denials {
		entry, _ := denial.(map[string]any)
		name, _ := entry["rule"].(string)
		if entry["cites"] != "" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func denying(verdict fleet.Verdict) []string {
	var names []string
	for _, finding := range verdict.Findings {
		if finding.Effect == fleet.EffectDenies && finding.Policy != fleet.BuiltInPolicy {
			names = append(names, finding.Rule)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// keep uses a result, so that the compiler does not leave out what made it.
func keep(value bool) { runtime.KeepAlive(value) }

// interleaved times every function over the queries, one after the other in
// each round, and returns the medians of nanoseconds per query.
func interleaved(queries []query, functions ...func(query)) []float64 {
	times := make([][]float64, len(functions))
	for range rounds {
		for i, function := range functions {
			times[i] = append(times[i], once(queries, function))
		}
	}
	medians := make([]float64, len(functions))
	for i := range times {
		slices.Sort(times[i])
		medians[i] = times[i][rounds/2]
	}
	return medians
}

// once runs a function over the queries for at least 200 ms.
func once(queries []query, function func(query)) float64 {
	n, began := 0, time.Now()
	for time.Since(began) < 200*time.Millisecond {
		for range 16 {
			function(queries[(n*31)%len(queries)])
			n++
		}
	}
	return float64(time.Since(began).Nanoseconds()) / float64(n)
}

func row(rules int, question string, nanoseconds []float64) {
	fmt.Printf("%5d   %-17s %11.1f ns %9.0f ns %11.0f ns %11.0f x %13.0f x\n", rules, question,
		nanoseconds[0], nanoseconds[1], nanoseconds[2], nanoseconds[1]/nanoseconds[0], nanoseconds[2]/nanoseconds[0])
}

// perOperation is what testing.Benchmark says of one operation.
func perOperation(result testing.BenchmarkResult) string {
	return fmt.Sprintf("%d ns, %d allocations", result.NsPerOp(), result.AllocsPerOp())
}
