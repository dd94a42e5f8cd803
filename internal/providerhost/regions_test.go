package providerhost

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

func TestRegions(t *testing.T) {
	t.Parallel()
	fixture := newFixture(t)
	regions, err := fixture.Regions(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, region := range regions {
		names = append(names, region.Name())
	}
	if diff := cmp.Diff([]string{"test/eu-central-1", "test/eu-central-2", "test/us-west-2"}, names); diff != "" {
		t.Error(diff)
	}
}

func TestRegionsOfAProviderThatFailsAreInTheError(t *testing.T) {
	t.Parallel()
	fixture := newFixture(t)
	install(t, fixture.folder, "futureplugin", "future")
	regions, err := fixture.Regions(t.Context())
	if !errors.Is(err, fleet.ErrNeedsHuman) || len(regions) != 3 {
		t.Errorf("want the three regions of the other provider and an error, got %v, %v", regions, err)
	}
}

func TestRegion(t *testing.T) {
	t.Parallel()
	fixture := newFixture(t)
	region, err := fixture.Region(t.Context(), "test/eu-central-2")
	if err != nil || region.City != "Zurich" || region.Country != "CH" {
		t.Errorf("got %+v, %v", region, err)
	}
	for name, want := range map[string]struct {
		kind *fleet.ErrorKind
		hint string
	}{
		"test/eu-cental-2": {fleet.ErrNotFound, "test/eu-central-2"},
		"test/frankfurt":   {fleet.ErrNotFound, "test/eu-central-1"},
		"tset/frankfurt":   {fleet.ErrNotFound, "there are test"},
		"frankfurt":        {fleet.ErrInvalid, "PROVIDER/ID"},
	} {
		_, err := fixture.Region(t.Context(), name)
		var got *fleet.Error
		if !errors.Is(err, want.kind) || !errors.As(err, &got) || !strings.Contains(got.Hint, want.hint) {
			t.Errorf("%s: want %v with a hint of %q, got %v", name, want.kind, want.hint, err)
		}
	}
}
