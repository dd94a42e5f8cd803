package compliance

import (
	"context"
	"encoding/json"
	"log/slog"
	"slices"
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
// Region documents add at a moment.
func (o *Office) Catalog(ctx context.Context, moment fleet.Moment) ([]fleet.RegionFacts, error) {
	v, err := o.open(ctx, moment)
	if err != nil {
		return nil, err
	}
	return v.regions(), nil
}

// Documents returns those of a kind that were true at a moment, by name: what
// the verdicts about that moment rest on.
func (o *Office) Documents(ctx context.Context, moment fleet.Moment, kind fleet.Kind) ([]fleet.Resource, error) {
	if kind == fleet.KindPlacement || !slices.Contains(ledgerKinds, kind) {
		return nil, fleet.Errorf(fleet.ErrInvalid, "what was true at a time is not known of kind %s", kind).Advise("ask what was recorded")
	}
	v, err := o.open(ctx, moment)
	if err != nil {
		return nil, err
	}
	found := v.all(kind)
	documents := make([]fleet.Resource, len(found))
	for i, one := range found {
		if err := json.Unmarshal(one.document, &documents[i]); err != nil {
			return nil, fleet.Errorf(fleet.ErrInternal, "cannot be read: %w", err).On(one.ref.String())
		}
	}
	return documents, nil
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
