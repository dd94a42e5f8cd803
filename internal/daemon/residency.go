package daemon

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/meridian-fleet/meridian/internal/compliance"
	"github.com/meridian-fleet/meridian/internal/evidence"
	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/providerhost"
	"github.com/meridian-fleet/meridian/internal/residency"
	"github.com/meridian-fleet/meridian/internal/server"
)

// openOffice makes what answers about residency. It asks the plugins for their
// regions when it is first asked itself.
func (d *Daemon) openOffice(context.Context) error {
	regions := &catalog{logger: d.logger, ask: func(ctx context.Context) ([]providerhost.Region, error) { return d.plugins.Regions(ctx) }}
	d.office = compliance.New(compliance.Config{Store: d.store, Catalog: regions.all, Logger: d.logger.With("component", "residency")})
	return nil
}

// openEvidence begins to follow the inventory. It is closed after everything
// that changes the inventory has ended.
func (d *Daemon) openEvidence(ctx context.Context) error {
	config := evidence.Config{
		Dir: d.config.Evidence.Dir, WitnessDir: d.config.Evidence.WitnessDir, Store: d.store, Logger: d.logger.With("component", "evidence"),
		Shared: d.config.Inventory.SQLite == "", Replaces: d.config.Evidence.Replaces,
	}
	if witness := d.config.Evidence.Witness; witness != nil {
		config.External = &evidence.ExternalWitness{URL: witness.URL, Key: witness.Key}
	}
	log, err := evidence.Open(ctx, config)
	if err != nil {
		return err
	}
	d.evidence = log
	d.cleanup.add("evidence log", func(context.Context) error { return log.Close() })
	return nil
}

// catalogAge is how old the regions get before plugins are asked again: a
// plugin may have been replaced.
const catalogAge = time.Minute

// catalog remembers the regions of all plugins.
type catalog struct {
	ask    func(context.Context) ([]providerhost.Region, error)
	logger *slog.Logger

	mutex   sync.Mutex
	regions []fleet.RegionFacts
	asked   time.Time
}

// all gives every region. While a plugin does not answer those known before
// serve; with none known that is an error, as regions would be missing.
func (c *catalog) all(ctx context.Context) ([]fleet.RegionFacts, error) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.regions != nil && time.Since(c.asked) < catalogAge {
		return c.regions, nil
	}
	regions, err := c.ask(ctx)
	if err != nil && c.regions == nil {
		return nil, err
	}
	c.asked = time.Now()
	if err != nil {
		c.logger.WarnContext(ctx, "a plugin's regions cannot be read again; those known serve on", "error", err)
		return c.regions, nil
	}
	facts := make([]fleet.RegionFacts, 0, len(regions))
	for _, region := range regions {
		facts = append(facts, compliance.FactsOf(region.Provider, region.Region))
	}
	c.regions = facts
	return facts, nil
}

// residencyOffice is the office as the API knows it.
type residencyOffice struct{ *compliance.Office }

// Admit implements server.Residency.
func (o residencyOffice) Admit(ctx context.Context, actor string, changed []fleet.Resource) (server.Admission, error) {
	admission, err := o.Office.Admit(ctx, actor, changed)
	return server.Admission{Decisions: admission.Decisions, Unless: admission.Unless}, err
}

// residencyRules are the rules of package residency as the API knows them.
type residencyRules struct{}

// CheckException implements server.ResidencyRules.
func (residencyRules) CheckException(spec fleet.ExceptionSpec) error {
	var faults []error
	for _, problem := range residency.ValidateException(spec) {
		fault := fleet.Errorf(fleet.ErrInvalid, "%s", problem.Message).At(fleet.Position{}, problem.Field)
		fault.Hint = problem.Hint
		faults = append(faults, fault)
	}
	return errors.Join(faults...)
}

// Span implements server.ResidencyRules.
func (residencyRules) Span(period fleet.Period) (begins, ends time.Time, err error) {
	begins, beginsErr := residency.Begins(period, time.UTC)
	ends, endsErr := residency.Ends(period, time.UTC)
	return begins, ends, errors.Join(beginsErr, endsErr)
}
