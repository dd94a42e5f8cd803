package main

import (
	"fmt"
	"testing"
	"time"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/residency"
)

// placements of the audit.
const placements = 1_000_000

// alone measures what only Meridian does.
func alone(c corpus) error {
	ours, err := newMeridian(c)
	if err != nil {
		return err
	}
	if err := ours.workload(); err != nil {
		return err
	}
	if err := compileAlone(c); err != nil {
		return err
	}
	ours.audit()
	return nil
}

// workload asks where a workload may run that processes five datasets, two of
// which it also stores.
func (m *meridian) workload() error {
	var uses []residency.PreparedUse
	for i, d := range m.corpus.datasets[:5] {
		facets := []fleet.Facet{fleet.FacetProcessing}
		if i < 2 {
			facets = append(facets, fleet.FacetStorage)
		}
		uses = append(uses, m.compiled.PrepareUse(fleet.Ref{}, residency.Use{Prepared: m.prepared[d.name], Facets: facets}, nil))
	}
	var allowed residency.Set
	result := testing.Benchmark(func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			residency.AllowedRegions(&allowed, uses)
		}
	})
	fmt.Printf("allowed regions of a workload with five datasets: %s\n", perOperation(result))
	if result.AllocsPerOp() != 0 {
		return fmt.Errorf("allowed regions allocate")
	}
	return nil
}

// compileAlone compiles the rules for an instant.
func compileAlone(c corpus) error {
	resources, err := c.resources()
	if err != nil {
		return err
	}
	began := time.Now()
	rulebook, err := residency.NewRulebook(resources)
	if err != nil {
		return err
	}
	read := time.Since(began)
	places, err := residency.NewCatalog(c.regions)
	if err != nil {
		return err
	}
	result := testing.Benchmark(func(b *testing.B) {
		for b.Loop() {
			if _, err := rulebook.Compile(places, instant); err != nil {
				b.Fatal(err)
			}
		}
	})
	fmt.Printf("compile %d rules for an instant: %s (reading and type-checking them once before: %s)\n",
		len(c.rules), time.Duration(result.NsPerOp()), read.Round(10*time.Microsecond))
	return nil
}

// audit judges a million placements of the datasets on one core.
func (m *meridian) audit() {
	queries := m.corpus.queries()
	denied, explained := 0, 0
	began := time.Now()
	for i := range placements {
		q := queries[i%len(queries)]
		if !m.allowed(q) {
			denied++
		}
	}
	took := time.Since(began)
	began = time.Now()
	for i := range placements {
		if q := queries[i%len(queries)]; !m.allowed(q) {
			explained += len(m.explained(q).Findings)
		}
	}
	fmt.Printf("audit of %d placements on one core: %s (%d denied; with every denial explained, %d findings: %s)\n",
		placements, took.Round(time.Millisecond), denied, explained, time.Since(began).Round(time.Millisecond))
}
