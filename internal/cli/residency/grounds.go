package residency

import (
	"context"
	"errors"
	"slices"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/meridian-fleet/meridian/internal/cli/question"
	"github.com/meridian-fleet/meridian/internal/cli/verdict"
	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/residency"
)

// grounds are what a verdict rests on.
type grounds struct {
	fields
	atlas verdict.Atlas
}

type fields struct {
	Verdict  fleet.Verdict      `json:"verdict"`
	Unknown  []string           `json:"unknown,omitempty"` // facts that rules looked at and nobody knows
	Data     []data             `json:"data"`
	Place    *fleet.RegionFacts `json:"place,omitempty"` // absent: no catalog has it
	Presence []fleet.Located    `json:"presence,omitempty"`
	Rules    []part             `json:"rules,omitempty"`
}

// data is one dataset, or data of some classes, that a question is about.
type data struct {
	Dataset     string                    `json:"dataset,omitempty"`
	Undeclared  bool                      `json:"undeclared,omitempty"`
	Classes     []string                  `json:"classes,omitempty"` // with those they inherit from
	Facets      []fleet.Facet             `json:"facets"`
	Facts       map[string]fleet.DataFact `json:"facts,omitempty"`
	Instruments []fleet.Instrument        `json:"instruments,omitempty"`
}

// grounds gathers what a verdict rests on, as it was known at the moment.
func (o *office) grounds(ctx context.Context, answer fleet.Verdict, now time.Time) (grounds, error) {
	found := grounds{fields: fields{Verdict: answer, Unknown: verdict.Unknown(answer.Findings)}}
	catalog, err := o.Catalog(ctx, o.moment)
	if err != nil {
		return grounds{}, err
	}
	if found.atlas, err = o.atlasOf(catalog); err != nil {
		return grounds{}, err
	}
	for _, region := range catalog {
		if region.Name() == answer.Region {
			found.Place = &region
		}
	}
	at := now
	if o.moment.GetAsOf() != nil {
		at = o.moment.GetAsOf().AsTime()
	}
	law, err := o.law(ctx, at)
	if err != nil {
		return grounds{}, err
	}
	if found.Data, err = o.data(ctx, answer.Question, law); err != nil {
		return grounds{}, err
	}
	if answer.Subject.Name != "" {
		// Of a subject nobody declared the verdict says so.
		if found.Presence, _, err = o.located(ctx, answer.Subject); err != nil && !errors.Is(err, fleet.ErrNotFound) {
			return grounds{}, err
		}
	}
	found.Rules, err = law.parts(found.Data, answer)
	return found, err
}

// law is the policies of an instant and the classes they are about.
type law struct {
	at       time.Time
	policies []fleet.Resource
	// book knows which classes inherit from which; nil when a document is
	// faulty, which the verdict says.
	book *residency.Rulebook
}

func (o *office) law(ctx context.Context, at time.Time) (law, error) {
	found := law{at: at}
	var err error
	if found.policies, err = o.policies(ctx, at); err != nil {
		return law{}, err
	}
	documents := slices.Clone(found.policies)
	for _, kind := range []fleet.Kind{fleet.KindJurisdictionGroup, fleet.KindDataClass} {
		listed, err := o.resources(ctx, kind)
		if err != nil {
			return law{}, err
		}
		documents = append(documents, listed...)
	}
	if book, err := residency.NewRulebook(documents); err == nil {
		found.book = book
	}
	return found, nil
}

// policies are those that had begun at an instant, each in the version that
// was law, and those that are still to begin.
func (o *office) policies(ctx context.Context, at time.Time) ([]fleet.Resource, error) {
	law, upcoming, err := question.Policies(ctx, o.fleet, o.moment.GetKnownAt(), timestamppb.New(at))
	return append(law, slices.DeleteFunc(upcoming, func(policy fleet.Resource) bool {
		return slices.ContainsFunc(law, func(other fleet.Resource) bool { return other.Metadata.Name == policy.Metadata.Name })
	})...), err
}

// data is what a question is about: a dataset, the datasets and classes a
// workload touches, or some classes.
func (o *office) data(ctx context.Context, asked fleet.Question, law law) ([]data, error) {
	facets := []fleet.Facet{asked.Facet}
	switch asked.Subject.Kind {
	case fleet.KindDataset:
		one, err := o.dataset(ctx, asked.Subject.Name, facets, law)
		return []data{one}, err
	case fleet.KindWorkload:
		return o.workload(ctx, asked, law)
	}
	return []data{{Classes: law.classes(asked.Classes), Facets: facets}}, nil
}

func (l law) classes(names []string) []string {
	if l.book == nil {
		return names
	}
	all, unknown := residency.Classes(l.book, names)
	return append(slices.Clone(all), unknown...)
}

func (o *office) dataset(ctx context.Context, name string, facets []fleet.Facet, law law) (data, error) {
	one := data{Dataset: name, Facets: facets}
	spec, declared, err := specAs[fleet.DatasetSpec](ctx, o, fleet.Ref{Kind: fleet.KindDataset, Name: name})
	one.Undeclared = !declared
	one.Classes, one.Facts, one.Instruments = law.classes(spec.Classes), spec.Facts, spec.Instruments
	return one, err
}

func (o *office) workload(ctx context.Context, asked fleet.Question, law law) ([]data, error) {
	spec, _, err := specAs[fleet.WorkloadSpec](ctx, o, asked.Subject)
	if err != nil {
		return nil, err
	}
	var all []data
	for _, use := range spec.Datasets {
		one, err := o.dataset(ctx, use.Dataset, used(asked, use.Facets), law)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	for _, use := range spec.Classes {
		all = append(all, data{Classes: law.classes(use.Classes), Facets: used(asked, use.Facets)})
	}
	return all, nil
}

// used are the facets of one use that a question about a workload is about.
func used(asked fleet.Question, facets []fleet.Facet) []fleet.Facet {
	if len(facets) == 0 {
		facets = []fleet.Facet{fleet.FacetProcessing}
	}
	if asked.Facet == "" {
		return facets
	}
	return slices.DeleteFunc(slices.Clone(facets), func(facet fleet.Facet) bool { return facet != asked.Facet })
}

// specAs reads the spec that was true at the moment, and whether there was one.
func specAs[T any](ctx context.Context, o *office, ref fleet.Ref) (spec T, declared bool, err error) {
	all, err := o.resources(ctx, ref.Kind)
	for _, resource := range all {
		if resource.Metadata.Name == ref.Name {
			spec, err = fleet.SpecOf[T](resource)
			return spec, true, err
		}
	}
	return spec, false, err
}
