package compliance

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/residency"
)

// ruleKinds are the kinds a rulebook is made of.
var ruleKinds = []fleet.Kind{fleet.KindResidencyPolicy, fleet.KindJurisdictionGroup, fleet.KindDataClass}

// rule gives a view its places and its rules.
func (o *Office) rule(ctx context.Context, v *view) error {
	facts, err := o.config.Catalog(ctx)
	if err != nil {
		return fmt.Errorf("read the catalog of regions: %w", err)
	}
	if v.catalog, err = residency.NewCatalog(v.withDocuments(facts)); err != nil {
		return err
	}
	o.compile(ctx, v)
	return nil
}

// compile gives a view with places its rules. Rules that cannot be read are
// the view's fault, not an error: the answers are denials.
func (o *Office) compile(ctx context.Context, v *view) {
	if v.rulebook, v.fault = o.books.of(v.ruleVersions()); v.fault == nil {
		v.rules, v.fault = v.rulebook.Compile(v.catalog, v.at)
	}
	if v.fault != nil {
		o.config.Logger.WarnContext(ctx, "residency documents cannot be read: every answer is a denial", "fault", v.fault)
	}
}

// ruleVersions are the policies, groups and classes that count at the view's
// instant.
func (v *view) ruleVersions() []*version {
	var found []*version
	for _, kind := range ruleKinds {
		found = append(found, v.all(kind)...)
	}
	return found
}

// withDocuments adds to a catalog what Region documents say, ordered by name.
func (v *view) withDocuments(catalog []fleet.RegionFacts) []fleet.RegionFacts {
	places := slices.Clone(catalog)
	for i := range places {
		places[i].Facts = v.regionFacts(places[i].Name())
	}
	slices.SortFunc(places, func(a, b fleet.RegionFacts) int { return strings.Compare(a.Name(), b.Name()) })
	return places
}

// regionFacts are the facts documents add to a region. A fact that says since
// when it is true was true since then, whenever it was recorded; any other
// since the version that brought it was.
func (v *view) regionFacts(region string) map[string]fleet.DataFact {
	facts, decided := map[string]fleet.DataFact{}, map[string]bool{}
	all := v.versions(fleet.Ref{Kind: fleet.KindRegion, Name: region})
	for i := len(all) - 1; i >= 0; i-- {
		spec, begun := all[i].region(), !all[i].begins.After(v.at)
		if all[i].fault != nil {
			v.places[region] = all[i].fault
		}
		if spec != nil {
			for name, fact := range spec.Facts {
				if from, err := residency.Begins(fleet.Period{From: fact.From}, nil); !decided[name] && err == nil && (begun || fact.From != "" && !from.After(v.at)) {
					facts[name], decided[name] = fact, true
				}
			}
		}
		if begun {
			break // what it does not say was not so
		}
	}
	return facts
}

// books keeps the last rulebooks made: reading rules takes longer than
// compiling them for another instant.
type books struct {
	mutex sync.Mutex
	made  map[string]*book
}

type book struct {
	*residency.Rulebook
	fault error
}

// of returns the rulebook of some versions. Those that are assumed make a
// book that is not kept.
func (b *books) of(versions []*version) (*residency.Rulebook, error) {
	var key strings.Builder
	var documents []fleet.Resource
	var faults []error
	assumed := false
	for _, one := range versions {
		fmt.Fprint(&key, one.revision, " ")
		assumed = assumed || one.revision == 0
		if one.fault != nil {
			faults = append(faults, badDocument(one.ref, one.fault))
			continue
		}
		documents = append(documents, one.content.(fleet.Resource))
	}
	b.mutex.Lock()
	defer b.mutex.Unlock()
	if made := b.made[key.String()]; made != nil && !assumed {
		return made.Rulebook, made.fault
	}
	made := &book{fault: errors.Join(faults...)}
	if made.fault == nil {
		made.Rulebook, made.fault = residency.NewRulebook(documents)
	}
	if !assumed {
		b.keep(key.String(), made)
	}
	return made.Rulebook, made.fault
}

func (b *books) keep(key string, made *book) {
	if len(b.made) >= keptViews {
		maps.DeleteFunc(b.made, func(string, *book) bool { return true })
	}
	if b.made == nil {
		b.made = map[string]*book{}
	}
	b.made[key] = made
}

func badDocument(ref fleet.Ref, fault error) error {
	var own *fleet.Error
	if errors.As(fault, &own) && own.Object != "" {
		return fault
	}
	return fleet.Errorf(fleet.ErrInvalid, "cannot be read: %w", fault).On(ref.String())
}

// documents are all texts of the policies, groups and classes that are in the
// inventory at the view's instant, those to come as well.
func (v *view) documents() []fleet.Resource {
	var found []fleet.Resource
	for _, kind := range ruleKinds {
		for _, name := range v.names(kind) {
			all := v.versions(fleet.Ref{Kind: kind, Name: name})
			since := 0
			for i, one := range all {
				if one.deleted {
					since = i + 1
				}
			}
			for _, one := range all[since:] {
				if resource, ok := one.content.(fleet.Resource); ok {
					found = append(found, resource)
				}
			}
		}
	}
	return found
}

// covers reports whether a period holds an instant; one that cannot be read
// holds every instant, so that nothing in it is overlooked.
func covers(from, until string, at time.Time) bool {
	in, err := residency.Covers(fleet.Period{From: from, Until: until}, time.UTC, at)
	return in || err != nil
}
