package compliance

import (
	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/residency"
)

// prepared is a dataset or workload, ready to be judged.
type prepared struct {
	subject    residency.Subject // of a dataset
	prepared   *residency.Prepared
	uses       []residency.Use // of a workload
	exceptions []residency.Exception
	facets     []fleet.Facet // all that a workload does
	missing    bool          // nobody declared it
	fault      error         // it cannot be read
}

// prepare looks a subject up and keeps it.
func (v *view) prepare(ref fleet.Ref) *prepared {
	v.mutex.Lock()
	defer v.mutex.Unlock()
	return v.preparedOnce(ref)
}

func (v *view) preparedOnce(ref fleet.Ref) *prepared {
	if found := v.subjects[ref]; found != nil {
		return found
	}
	var made *prepared
	if ref.Kind == fleet.KindWorkload {
		made = v.prepareWorkload(ref)
	} else {
		made = v.prepareDataset(ref)
	}
	v.subjects[ref] = made
	return made
}

func (v *view) prepareDataset(ref fleet.Ref) *prepared {
	made := &prepared{exceptions: v.exceptions(ref)}
	made.subject = residency.Subject{Ref: ref, Exceptions: made.exceptions, Copies: v.found(ref)}
	declared := v.valid(ref)
	switch spec := declared.dataset(); {
	case declared == nil:
		made.missing = true
	case spec == nil:
		made.fault = declared.fault
	default:
		made.subject.Declared = true
		made.subject.Classes, made.subject.Facts, made.subject.Instruments = spec.Classes, spec.Facts, spec.Instruments
		for _, binding := range spec.Bindings {
			if covers(binding.From, binding.Until, v.at) {
				made.subject.Copies = append(made.subject.Copies, residency.Copy{
					Facets: binding.Facets, Region: binding.Region, Pair: binding.Pair, GeoRedundant: binding.GeoRedundant, Source: binding.Source,
				})
			}
		}
	}
	if v.rules != nil && made.fault == nil {
		made.prepared = v.rules.Prepare(made.subject)
	}
	return made
}

// found are the copies of a dataset that were found in places. Placements that
// are alike are one copy, as a rule counts places.
func (v *view) found(ref fleet.Ref) []residency.Copy {
	var copies []residency.Copy
	seen := map[likeness]bool{}
	for _, one := range v.about(ref, fleet.KindPlacement) {
		spec := one.placement()
		alike := likenessOf(fleet.Located{Facets: spec.Facets, Region: spec.Region, Pair: spec.Pair, GeoRedundant: spec.GeoRedundant, Source: spec.Source})
		if one.there(v.at) && !seen[alike] {
			seen[alike] = true
			copies = append(copies, residency.Copy{
				Facets: spec.Facets, Region: spec.Region, Pair: spec.Pair, GeoRedundant: spec.GeoRedundant, Source: spec.Source,
			})
		}
	}
	return copies
}

func (v *view) exceptions(ref fleet.Ref) []residency.Exception {
	var found []residency.Exception
	for _, one := range v.about(ref, fleet.KindException) {
		found = append(found, *one.content.(*residency.Exception))
	}
	return found
}

func (v *view) prepareWorkload(ref fleet.Ref) *prepared {
	made := &prepared{exceptions: v.exceptions(ref)}
	declared := v.valid(ref)
	spec := declared.workload()
	switch {
	case declared == nil:
		made.missing = true
		return made
	case spec == nil:
		made.fault = declared.fault
		return made
	}
	for _, use := range spec.Datasets {
		dataset := v.preparedOnce(fleet.Ref{Kind: fleet.KindDataset, Name: use.Dataset})
		if dataset.fault != nil {
			made.fault = dataset.fault
		}
		made.use(dataset.prepared, use.Facets)
	}
	for _, use := range spec.Classes {
		if v.rules != nil {
			made.use(v.rules.Prepare(residency.Subject{Declared: true, Classes: use.Classes}), use.Facets)
		}
	}
	return made
}

// use adds what a workload does to some data; processing when it does not say.
func (p *prepared) use(data *residency.Prepared, facets []fleet.Facet) {
	if len(facets) == 0 {
		facets = []fleet.Facet{fleet.FacetProcessing}
	}
	p.uses = append(p.uses, residency.Use{Prepared: data, Facets: facets})
	p.facets = union(p.facets, facets)
}

// union is the facets of both, in the order tables show them.
func union(a, b []fleet.Facet) []fleet.Facet {
	var both []fleet.Facet
	for _, facet := range fleet.Facets {
		for _, one := range [][]fleet.Facet{a, b} {
			for _, other := range one {
				if other == facet && (len(both) == 0 || both[len(both)-1] != facet) {
					both = append(both, facet)
				}
			}
		}
	}
	return both
}
