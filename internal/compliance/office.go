package compliance

import (
	"context"
	"log/slog"
	"time"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/inventory"
)

// Config is what an Office needs.
type Config struct {
	Store inventory.Store
	// Catalog returns the regions of all providers. Regions it leaves out are
	// unknown, and nothing classified may be there.
	Catalog func(context.Context) ([]fleet.RegionFacts, error)
	Logger  *slog.Logger
	Now     func() time.Time // time.Now when nil
}

// Office answers questions about residency. It is safe for concurrent use.
type Office struct {
	config Config
	ledger *ledger
	views  views
	books  books
}

// New returns an Office. It reads nothing yet.
func New(config Config) *Office {
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.Logger == nil {
		config.Logger = slog.New(slog.DiscardHandler)
	}
	return &Office{config: config, ledger: newLedger()}
}

// Catalog returns every region of every provider, by name, with the facts
// Region documents add now.
func (o *Office) Catalog(ctx context.Context) ([]fleet.RegionFacts, error) {
	v, err := o.open(ctx, fleet.Moment{})
	if err != nil {
		return nil, err
	}
	return v.regions(), nil
}

// regions are the cloud regions of a view with their facts, by name.
func (v *view) regions() []fleet.RegionFacts {
	names := v.catalog.Regions()
	all := make([]fleet.RegionFacts, 0, len(names))
	for _, name := range names {
		facts, _ := v.catalog.Region(name) // it is one of the catalog's own
		all = append(all, facts)
	}
	return all
}
