package compliance

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/residency/geography"
)

// Find says where a subject may be: allowed regions, the best first, and with
// all also those where it may not be, with the reason. Better is what needs no
// exception, then where the subject is already, then a country and a provider
// it is in, then what is near and comes with few obligations.
func (o *Office) Find(ctx context.Context, moment fleet.Moment, question fleet.Question, all bool) ([]fleet.Possible, error) {
	v, err := o.open(ctx, moment)
	if err != nil {
		return nil, err
	}
	home := v.homeOf(question.Subject)
	var found []candidate
	for _, facts := range v.regions() {
		asked := question
		asked.Region = facts.Name()
		verdict := v.judge(asked)
		if verdict.Allowed || all {
			found = append(found, home.rate(facts, verdict))
		}
	}
	slices.SortStableFunc(found, candidate.compare)
	possible := make([]fleet.Possible, 0, len(found))
	for i, one := range found {
		if one.Allowed {
			one.Rank = i + 1
		}
		possible = append(possible, one.Possible)
	}
	return possible, nil
}

// home is where a subject lawfully is now, as far as it matters for where to
// go.
type home struct {
	regions, countries, providers map[string]bool
	points                        []geography.Point
}

func (v *view) homeOf(subject fleet.Ref) home {
	h := home{regions: map[string]bool{}, countries: map[string]bool{}, providers: map[string]bool{}}
	if subject.Name == "" {
		return h
	}
	places := v.placesOf(subject)
	if spec := v.valid(subject).workload(); spec != nil {
		for _, use := range spec.Datasets { // a workload is best where its data is
			places = append(places, v.placesOf(fleet.Ref{Kind: fleet.KindDataset, Name: use.Dataset})...)
		}
	}
	for _, place := range places {
		if !v.lawful(place) {
			continue // where it may not be is no reason to go there, or near it
		}
		provider, _, _ := fleet.SplitRegion(place.Region)
		h.regions[place.Region], h.countries[place.Country], h.providers[provider] = true, true, true
		if latitude, longitude, ok := geography.Of(place.Country, place.City); ok {
			h.points = append(h.points, geography.Point{Latitude: latitude, Longitude: longitude})
		}
	}
	return h
}

// lawful reports whether all that is done at a place may be done there.
func (v *view) lawful(place fleet.Located) bool {
	return !slices.ContainsFunc(v.judgePlace(place), func(verdict fleet.Verdict) bool { return !verdict.Allowed })
}

// distance is how many kilometres a region is from the nearest place the
// subject is at; false when it is not known.
func (h home) distance(facts fleet.RegionFacts) (int, bool) {
	latitude, longitude, ok := geography.Of(facts.Country, facts.City)
	if !ok || len(h.points) == 0 {
		return 0, false
	}
	nearest := math.Inf(1)
	for _, point := range h.points {
		nearest = min(nearest, geography.Distance(point, geography.Point{Latitude: latitude, Longitude: longitude}))
	}
	return int(math.Round(nearest)), true
}

// candidate is a possible region and what ranks it; less is better.
type candidate struct {
	fleet.Possible
	rank [7]int
}

// near is how many kilometres do not count against an obligation less.
const near = 500

func (h home) rate(facts fleet.RegionFacts, verdict fleet.Verdict) candidate {
	c := candidate{Possible: fleet.Possible{
		Region: facts.Name(), Country: facts.Country, City: facts.City, Operator: facts.Operator, Allowed: verdict.Allowed, Verdict: verdict,
	}}
	if !verdict.Allowed {
		c.Why = denialOf(verdict)
		return c
	}
	var why []string
	c.rank[0] = len(verdict.Exceptions)
	for i, point := range []struct {
		holds bool
		says  string
	}{
		{h.regions[facts.Name()], "it is there already"}, {h.countries[facts.Country], "same country"}, {h.providers[facts.Provider], "same provider"},
	} {
		if point.holds {
			why = append(why, point.says)
		} else {
			c.rank[1+i] = 1
		}
	}
	distance, known := h.distance(facts)
	if c.rank[4], c.rank[5], c.rank[6] = distance/near, len(verdict.Obligations), distance; known && distance > 0 {
		why = append(why, fmt.Sprintf("about %d km away", distance))
	}
	c.Why = strings.Join(append(why, burden(verdict)), ", ")
	return c
}

func (c candidate) compare(other candidate) int {
	if c.Allowed != other.Allowed {
		if c.Allowed {
			return -1
		}
		return 1
	}
	return cmp.Or(slices.Compare(c.rank[:], other.rank[:]), cmp.Compare(c.Region, other.Region))
}

// burden says what an allowed verdict comes with.
func burden(verdict fleet.Verdict) string {
	text := "no obligations"
	if count := len(verdict.Obligations); count > 0 {
		text = counted(count, "obligation")
	}
	if len(verdict.Exceptions) > 0 {
		var names []string
		for _, used := range verdict.Exceptions {
			names = append(names, used.Name+" until "+used.Until)
		}
		text += ", only by exception " + strings.Join(names, " and ")
	}
	return text
}

// denialOf says why not, by the first rule that denies.
func denialOf(verdict fleet.Verdict) string {
	var first string
	more := map[string]bool{}
	for _, finding := range verdict.Findings {
		if finding.Effect != fleet.EffectDenies {
			continue
		}
		if first == "" {
			first = finding.Reason + " (" + finding.ID() + ")"
		} else {
			more[finding.ID()] = true
		}
	}
	if len(more) > 0 {
		first += fmt.Sprintf(", and %s more", counted(len(more), "rule"))
	}
	return first
}

func counted(count int, noun string) string {
	if count == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", count, noun)
}
