package compliance

import (
	"slices"
	"time"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// placesOf are the places of a dataset or workload that were in force at the
// view's instant: those its document declares, then those found, by name.
func (v *view) placesOf(subject fleet.Ref) []fleet.Located {
	places := v.declared(subject)
	for _, one := range v.about(subject, fleet.KindPlacement) {
		if one.there(v.at) {
			places = append(places, v.locatePlacement(one))
		}
	}
	return places
}

// declared are the places a dataset's bindings or a workload's regions name.
func (v *view) declared(subject fleet.Ref) []fleet.Located {
	spans := v.timeline(subject)
	current := slices.IndexFunc(spans, func(s span) bool {
		return !s.from.After(v.at) && (s.until.IsZero() || v.at.Before(s.until))
	})
	if current < 0 {
		return nil
	}
	var places []fleet.Located
	for _, declared := range v.declaredBy(spans[current].version) {
		if covers(declared.From, declared.Until, v.at) {
			places = append(places, v.locate(v.since(declared, spans[:current+1])))
		}
	}
	return places
}

// declaredBy are the places one version of a document names, in its order,
// without what the catalog knows of them.
func (v *view) declaredBy(version *version) []fleet.Located {
	var places []fleet.Located
	if spec := version.dataset(); spec != nil {
		for _, binding := range spec.Bindings {
			places = append(places, fleet.Located{
				Subject: version.ref, Binding: binding.Name, Facets: binding.Facets, Region: binding.Region,
				GeoRedundant: binding.GeoRedundant, Pair: binding.Pair, Store: binding.Store,
				Source: binding.Source, From: binding.From, Until: binding.Until,
			})
		}
	}
	if spec := version.workload(); spec != nil {
		facets := facetsOf(spec)
		for _, region := range spec.Regions {
			places = append(places, fleet.Located{Subject: version.ref, Facets: facets, Region: region})
		}
	}
	for i := range places {
		places[i].RecordedAt, places[i].RecordedBy = version.recorded, version.actor
	}
	return places
}

// facetsOf are the facets of all that a workload does to data. One that
// touches none still runs where it is.
func facetsOf(spec *fleet.WorkloadSpec) []fleet.Facet {
	var all prepared
	for _, use := range spec.Datasets {
		all.use(nil, use.Facets)
	}
	for _, use := range spec.Classes {
		all.use(nil, use.Facets)
	}
	if len(all.facets) == 0 {
		return []fleet.Facet{fleet.FacetProcessing}
	}
	return all.facets
}

// since finds out since when a place has been declared without a break, and
// who wrote it first: spans are the document's versions up to the present one.
func (v *view) since(place fleet.Located, spans []span) fleet.Located {
	from := spans[len(spans)-1].from
	for i := len(spans) - 2; i >= 0; i-- {
		same := slices.IndexFunc(v.declaredBy(spans[i].version), func(before fleet.Located) bool { return samePlace(before, place) })
		if same < 0 {
			break
		}
		from = spans[i].from
		if spans[i].recorded.Before(place.RecordedAt) {
			place.RecordedAt, place.RecordedBy = spans[i].recorded, spans[i].actor
		}
	}
	if place.From == "" && !from.IsZero() {
		place.From = from.UTC().Format(time.RFC3339Nano)
	}
	return place
}

// samePlace reports whether two declared places are one and the same, whatever
// is done there.
func samePlace(a, b fleet.Located) bool {
	return a.Binding == b.Binding && a.Region == b.Region && a.Store == b.Store && a.GeoRedundant == b.GeoRedundant && a.Pair == b.Pair && a.From == b.From
}

func (v *view) locatePlacement(found *version) fleet.Located {
	spec := found.placement()
	if spec == nil {
		return fleet.Located{Placement: found.ref.Name, RecordedAt: found.recorded, RecordedBy: found.actor}
	}
	return v.locate(fleet.Located{
		Subject: spec.Subject, Classes: spec.Classes, Placement: found.ref.Name, Facets: spec.Facets, Region: spec.Region,
		GeoRedundant: spec.GeoRedundant, Pair: spec.Pair, Store: spec.Store, Source: spec.Source,
		From: spec.From, Until: spec.Until, RecordedAt: found.recorded, RecordedBy: found.actor,
	})
}

// locate adds what the catalog knows of a place.
func (v *view) locate(place fleet.Located) fleet.Located {
	if place.Source == "" {
		place.Source = fleet.SourceDeclared
	}
	facts, known := v.catalog.Region(place.Region)
	place.Country, place.City = facts.Country, facts.City
	if place.GeoRedundant && place.Pair == "" && known && facts.ReplicaPair != "" {
		place.Pair = facts.Provider + "/" + facts.ReplicaPair
	}
	return place
}

// question asks about one facet of a place that is recorded.
func question(place fleet.Located, facet fleet.Facet) fleet.Question {
	return fleet.Question{
		Subject: place.Subject, Facet: facet, Region: place.Region, GeoRedundant: place.GeoRedundant, Pair: place.Pair,
		Source: place.Source, Existing: true,
	}
}

// judgePlace judges everything that is done at a place: one verdict for each
// facet, and one more for each where data was found to be of classes nobody
// declared there. Places that are alike, as the many placements of a workload
// are, share their verdicts.
func (v *view) judgePlace(place fleet.Located) []fleet.Verdict {
	key := likenessOf(place)
	v.mutex.Lock()
	verdicts, known := v.judged[key]
	v.mutex.Unlock()
	if !known {
		verdicts = v.judgeFacets(place)
		v.mutex.Lock()
		v.judged[key] = verdicts
		v.mutex.Unlock()
	}
	return verdicts
}

func (v *view) judgeFacets(place fleet.Located) []fleet.Verdict {
	var verdicts []fleet.Verdict
	for _, facet := range place.Facets {
		asked := question(place, facet)
		if place.Subject.Name == "" {
			asked.Subject, asked.Classes = fleet.Ref{}, place.Classes
		}
		verdicts = append(verdicts, v.judge(asked))
		if place.Subject.Name != "" && len(place.Classes) > 0 {
			asked.Subject, asked.Classes = fleet.Ref{}, place.Classes
			verdicts = append(verdicts, v.judge(asked))
		}
	}
	if len(verdicts) == 0 {
		asked := question(place, "")
		verdicts = append(verdicts, refuse(v.dated(asked), fleet.RuleBadDocument, "what is done to data at this place is not known"))
	}
	return verdicts
}
