package providerhost

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/providers"
)

// Region is a region of some provider.
type Region struct {
	Provider string
	providers.Region
}

// Name is what the fleet calls the region, PROVIDER/ID.
func (r Region) Name() string { return r.Provider + "/" + r.ID }

// Regions lists the regions of every provider, by provider and id. Providers
// that cannot be asked are missing, and in the error.
func (h *Host) Regions(ctx context.Context) ([]Region, error) {
	var all []Region
	var faults []error
	for _, name := range h.Names() {
		description, err := h.describe(ctx, name)
		if err != nil {
			faults = append(faults, err)
			continue
		}
		for _, region := range description.Regions {
			all = append(all, Region{Provider: name, Region: region})
		}
	}
	slices.SortFunc(all, func(a, b Region) int { return cmp.Compare(a.Name(), b.Name()) })
	return all, errors.Join(faults...)
}

// Region returns the facts of one region, given as PROVIDER/ID. An unknown one
// is fleet.ErrNotFound, with those that look most like it.
func (h *Host) Region(ctx context.Context, name string) (providers.Region, error) {
	provider, id, ok := fleet.SplitRegion(name)
	if !ok {
		return providers.Region{}, fleet.Errorf(fleet.ErrInvalid, "%q is not a region's name", name).
			Advise("want PROVIDER/ID, such as aws/eu-central-1")
	}
	description, err := h.describe(ctx, provider)
	if err != nil {
		return providers.Region{}, err
	}
	if region, found := description.Region(id); found {
		return region, nil
	}
	return providers.Region{}, fleet.Errorf(fleet.ErrNotFound, "%s has no region %q", provider, id).
		Advise("did you mean %s?", strings.Join(nearest(provider, id, description.Regions), " or "))
}

func (h *Host) describe(ctx context.Context, name string) (providers.Description, error) {
	known, err := h.supervised(name)
	if err != nil {
		return providers.Description{}, err
	}
	return known.Describe(ctx)
}

const suggestions = 3

// nearest lists the names of the regions that take the fewest edits to reach,
// by their id or by what people call them.
func nearest(provider, id string, regions []providers.Region) []string {
	distance := func(region providers.Region) int {
		wanted := strings.ToLower(id)
		return min(levenshtein.ComputeDistance(wanted, strings.ToLower(region.ID)),
			levenshtein.ComputeDistance(wanted, strings.ToLower(region.City)))
	}
	sorted := slices.Clone(regions)
	slices.SortStableFunc(sorted, func(a, b providers.Region) int {
		return cmp.Or(cmp.Compare(distance(a), distance(b)), cmp.Compare(a.ID, b.ID))
	})
	var names []string
	for _, region := range sorted[:min(suggestions, len(sorted))] {
		names = append(names, provider+"/"+region.ID)
	}
	return names
}
