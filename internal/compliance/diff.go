package compliance

import (
	"context"
	"slices"
	"time"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/residency"
)

// Diff says what would become unlawful, or lawful, were documents changed and
// deleted. Without AsOf it is about the first instant, not before now, at which
// every changed policy has begun. Both sides are judged at that instant.
func (o *Office) Diff(ctx context.Context, moment fleet.Moment, changed []fleet.Resource, deleted []fleet.Ref) (fleet.PolicyDiff, error) {
	present, err := o.open(ctx, fleet.Moment{KnownAt: moment.KnownAt})
	if err != nil {
		return fleet.PolicyDiff{}, err
	}
	before := present
	if moment.AsOf.IsZero() {
		moment.AsOf = begun(present.at, changed)
	}
	if !moment.AsOf.Equal(present.at) {
		if before, err = o.open(ctx, moment); err != nil {
			return fleet.PolicyDiff{}, err
		}
	}
	after, err := o.assume(ctx, before, present.at, changed, deleted)
	if err != nil {
		return fleet.PolicyDiff{}, err
	}
	if fault := faultsOf(after.fault, changed); fault != nil {
		return fleet.PolicyDiff{}, fault
	}
	diff := fleet.PolicyDiff{Moment: fleet.Moment{AsOf: before.at, KnownAt: moment.KnownAt}, Places: []fleet.PlaceDiff{}, Regions: []fleet.RegionsDiff{}}
	for _, resource := range changed {
		diff.Changed = append(diff.Changed, resource.Ref())
	}
	diff.Changed = append(diff.Changed, deleted...)
	diff.Places = append(diff.Places, placesDiff(before, after)...)
	diff.Regions = append(diff.Regions, regionsDiff(before, after)...)
	diff.Warnings = append(outlived(before, after), after.warnings()...)
	return diff, ctx.Err()
}

// begun is the first instant from one on at which all changed policies are law.
func begun(at time.Time, changed []fleet.Resource) time.Time {
	for _, resource := range changed {
		if resource.Kind == fleet.KindResidencyPolicy {
			if begins, err := policyBegins(resource); err == nil && begins.After(at) {
				at = begins
			}
		}
	}
	return at
}

// placesDiff are the places, as they would be, whose verdict would change.
func placesDiff(before, after *view) []fleet.PlaceDiff {
	var diffs []fleet.PlaceDiff
	for place := range after.everywhere {
		was, is := before.judgePlace(place), after.judgePlace(place)
		for i := range is {
			if i < len(was) && was[i].Allowed != is[i].Allowed {
				diffs = append(diffs, fleet.PlaceDiff{Place: place, Facet: is[i].Facet, Before: was[i], After: is[i]})
			}
		}
	}
	return diffs
}

// regionsDiff are the subjects and facets whose allowed regions would change.
func regionsDiff(before, after *view) []fleet.RegionsDiff {
	var diffs []fleet.RegionsDiff
	for _, subject := range after.all(fleet.KindDataset) {
		for _, facet := range fleet.Facets {
			diffs = appendRegions(diffs, before, after, fleet.Question{Subject: subject.ref, Facet: facet})
		}
	}
	for _, subject := range after.all(fleet.KindWorkload) {
		diffs = appendRegions(diffs, before, after, fleet.Question{Subject: subject.ref})
	}
	return diffs
}

func appendRegions(diffs []fleet.RegionsDiff, before, after *view, asked fleet.Question) []fleet.RegionsDiff {
	diff := fleet.RegionsDiff{Subject: asked.Subject, Facet: asked.Facet}
	was, is := before.allowed(asked), after.allowed(asked)
	for _, region := range after.catalog.Regions() {
		switch in := slices.Contains(is, region); {
		case slices.Contains(was, region) && !in:
			diff.Lost = append(diff.Lost, region)
		case in && !slices.Contains(was, region):
			diff.Won = append(diff.Won, region)
		}
	}
	if len(diff.Lost)+len(diff.Won) > 0 {
		diffs = append(diffs, diff)
	}
	return diffs
}

// allowed are the cloud regions where something may be done to a dataset, or
// where a workload may be.
func (v *view) allowed(asked fleet.Question) []string {
	subject := v.prepare(asked.Subject)
	if v.fault != nil || subject.fault != nil || subject.missing && asked.Subject.Kind == fleet.KindWorkload {
		return nil
	}
	places := v.catalog.Clouds()
	if asked.Subject.Kind == fleet.KindWorkload {
		var uses []residency.PreparedUse
		for _, use := range subject.uses {
			uses = append(uses, v.rules.PrepareUse(asked.Subject, use, subject.exceptions))
		}
		var allowed residency.Set
		if residency.AllowedRegions(&allowed, uses); len(uses) > 0 {
			places.And(&allowed)
		}
	} else {
		allowed := subject.prepared.Allowed(asked.Facet)
		places.And(&allowed)
	}
	return slices.DeleteFunc(v.catalog.Names(&places), func(region string) bool { return v.places[region] != nil })
}
