package residency

import (
	"time"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// membership is who belongs to a group at an instant.
type membership struct {
	countries map[string]string // with what says so: the member's citation or note
	unknown   []string          // groups among the members that nobody declared
	version   string
}

// resolver finds who belongs to groups at one instant.
type resolver struct {
	groups map[string]*group
	at     time.Time
	known  map[string]*membership
}

func newResolver(groups map[string]*group, at time.Time) *resolver {
	return &resolver{groups: groups, at: at, known: map[string]*membership{}}
}

// members of a group; one that nobody declared has itself among the unknown.
func (r *resolver) members(name string) *membership {
	if found := r.known[name]; found != nil {
		return found
	}
	result := &membership{countries: map[string]string{}}
	r.known[name] = result
	declared := r.groups[name]
	if declared == nil {
		result.unknown = []string{name}
		return result
	}
	result.version = declared.spec.Version
	for _, member := range declared.members {
		if !during(member.began, member.ended, r.at) {
			continue
		}
		if member.Group == "" {
			result.countries[member.Country] = member.Cites
			continue
		}
		nested := r.members(member.Group)
		for country, cites := range nested.countries {
			result.countries[country] = both(member.Cites, cites)
		}
		result.unknown = append(result.unknown, nested.unknown...)
	}
	return result
}

// both acts make a country a member: the one that took its group in, and the
// one that made it a member there.
func both(group, country string) string {
	if group == "" || country == "" {
		return group + country
	}
	return group + "; " + country
}

// places of a group in a catalog. With uncertain, a group nobody declared has
// every place.
func (r *resolver) places(name string, catalog *Catalog, uncertain bool) Set {
	members := r.members(name)
	if uncertain && len(members.unknown) > 0 {
		return catalog.all
	}
	var set Set
	for country := range members.countries {
		if places := catalog.byCountry[country]; places != nil {
			set.Or(places)
		}
	}
	return set
}

// set are the places of a scope. With uncertain, groups nobody declared have
// every place, otherwise none; what a scope excepts is the other way round.
func (r *resolver) set(scope *fleet.Scope, catalog *Catalog, uncertain bool) Set {
	var set Set
	if scope == nil {
		return set
	}
	if scope.Anywhere {
		set = catalog.all
	}
	for _, name := range scope.Groups {
		places := r.places(name, catalog, uncertain)
		set.Or(&places)
	}
	for _, name := range scope.Regions {
		if id, ok := catalog.ids[name]; ok {
			set.Add(id)
		}
	}
	add := func(index map[string]*Set, names []string) {
		for _, name := range names {
			if places := index[name]; places != nil {
				set.Or(places)
			}
		}
	}
	add(catalog.byCountry, scope.Countries)
	add(catalog.byProvider, scope.Providers)
	add(catalog.byPartition, scope.Partitions)
	if scope.Except != nil {
		without := r.set(scope.Except, catalog, !uncertain)
		set.AndNot(&without)
	}
	return set
}

// includes reports whether a list of countries and groups includes a country.
// With uncertain, a group nobody declared includes every country.
func (r *resolver) includes(list []string, country string, uncertain bool) bool {
	for _, name := range list {
		if name == country {
			return true
		}
		if countryCodes[name] != nil {
			continue
		}
		members := r.members(name)
		if _, in := members.countries[country]; in || uncertain && len(members.unknown) > 0 {
			return true
		}
	}
	return false
}
