package residency

import (
	"time"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// ValidateDataset finds the faults of a dataset.
func ValidateDataset(spec fleet.DatasetSpec) []Problem {
	var found problems
	found.classes("spec.classes", spec.Classes)
	found.facts(spec.Facts, fleet.DataFacts)
	names := map[string]bool{}
	for i, binding := range spec.Bindings {
		field := indexed("spec.bindings", i)
		if names[binding.Name] && binding.Name != "" {
			found.add(field+".name", "", "%q is the name of a binding before", binding.Name)
		}
		names[binding.Name] = true
		found.binding(field, binding)
	}
	clear(names)
	for i, instrument := range spec.Instruments {
		field := indexed("spec.instruments", i)
		if names[instrument.Name] && instrument.Name != "" {
			found.add(field+".name", "", "%q is the name of an instrument before", instrument.Name)
		}
		names[instrument.Name] = true
		found.instrument(field, instrument)
	}
	found.since(spec.Since)
	return found
}

func (p *problems) binding(field string, binding fleet.Binding) {
	p.needed(field+".name", binding.Name)
	p.facets(field+".facets", binding.Facets, true)
	p.place(field+".region", binding.Region)
	if binding.Pair != "" {
		p.place(field+".pair", binding.Pair)
		if !binding.GeoRedundant {
			p.add(field+".pair", "add geoRedundant: true, or leave the pair out", "only geo-redundant stores have a pair")
		}
	}
	p.source(field+".source", binding.Source)
	p.period(field, fleet.Period{From: binding.From, Until: binding.Until}, time.UTC)
}

func (p *problems) instrument(field string, instrument fleet.Instrument) {
	p.needed(field+".name", instrument.Name)
	p.basis(field+".basis", instrument.Basis)
	if instrument.Basis == fleet.BasisAdequacy {
		p.add(field+".basis", "leave the instrument out", "adequacy holds by the law alone and needs no instrument")
	}
	if instrument.To != nil {
		p.scope(field+".to", *instrument.To)
	}
	p.source(field+".source", instrument.Source)
	p.period(field, fleet.Period{From: instrument.From, Until: instrument.Until}, time.UTC)
}

// since checks from when a document says it is true.
func (p *problems) since(text string) {
	if text == "" {
		return
	}
	if _, err := ParseInstant(text); err != nil {
		p.wrong("spec.since", err)
	}
}

// ValidateWorkload finds the faults of a workload.
func ValidateWorkload(spec fleet.WorkloadSpec) []Problem {
	var found problems
	names := map[string]bool{}
	for i, use := range spec.Datasets {
		field := indexed("spec.datasets", i)
		found.needed(field+".dataset", use.Dataset)
		if names[use.Dataset] && use.Dataset != "" {
			found.add(field+".dataset", "name it once, with all facets", "%q is named before", use.Dataset)
		}
		names[use.Dataset] = true
		found.facets(field+".facets", use.Facets, false)
	}
	for i, use := range spec.Classes {
		field := indexed("spec.classes", i)
		if len(use.Classes) == 0 {
			found.add(field+".classes", "name data classes", "is missing")
		}
		found.classes(field+".classes", use.Classes)
		found.facets(field+".facets", use.Facets, false)
	}
	for i, region := range spec.Regions {
		found.place(indexed("spec.regions", i), region)
	}
	found.since(spec.Since)
	return found
}
