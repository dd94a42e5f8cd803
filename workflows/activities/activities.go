package activities

import (
	"context"
	"encoding/json"
	"log/slog"
	"time"

	"github.com/meridian-fleet/meridian/internal/baseline"
	"github.com/meridian-fleet/meridian/internal/capi"
	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/inventory"
	"github.com/meridian-fleet/meridian/providers"
)

// Providers finds providers and what they know of regions.
type Providers interface {
	Provider(ctx context.Context, name string) (providers.Provider, error)
	// Region returns the facts of a region, given as PROVIDER/ID.
	Region(ctx context.Context, name string) (providers.Region, error)
}

// Management is the management cluster; see capi.Management.
type Management interface {
	Namespace() string
	Apply(ctx context.Context, objects []json.RawMessage) error
	WaitReady(ctx context.Context, cluster string, onProgress func(text string)) error
	Observe(ctx context.Context, cluster string) (capi.Observation, error)
	Nodes(ctx context.Context, cluster string) ([]capi.Node, error)
	Delete(ctx context.Context, cluster string) error
}

// Baselines delivers baselines to clusters; see Delivery.
type Baselines interface {
	// Plan says what Apply would do. A quick one asks less of the cluster: it
	// does not find out beforehand what the cluster would refuse.
	Plan(ctx context.Context, target Target, quick bool) (Planned, error)
	Apply(ctx context.Context, target Target, options ApplyOptions) (Applied, error)
	Drift(ctx context.Context, target Target) ([]fleet.DriftFinding, error)
	// Data is the classified data that a target's components handle on its
	// cluster.
	Data(target Target) ([]fleet.ClassUse, error)
}

// Locks tells whether a workflow runs; see TemporalLocks.
type Locks interface {
	Held(ctx context.Context, workflowID string) (bool, error)
}

// Residency judges acts; see compliance.Office.
type Residency interface {
	// Decide judges an act by the rules as they are now and records the
	// decision before it returns. A denied act is ErrDenied.
	Decide(ctx context.Context, act fleet.Act) (fleet.Resource, fleet.DecisionSpec, error)
}

// Target is a baseline meant for a cluster.
type Target struct {
	Cluster string
	Bundle  inventory.Bundle
	Facts   baseline.Facts
}

// Planned is what applying a target would do.
type Planned struct {
	Create, Update, Delete, Unchanged, Conflicts int
	Changes                                      []fleet.ObjectChange
}

// ApplyOptions change how a target is applied.
type ApplyOptions struct {
	ReadyTimeout time.Duration
	OnProgress   func(text string)
}

// Applied is what applying a target did. After an error it says how far it
// came and what blocks.
type Applied struct {
	Created, Configured, Unchanged, Pruned int
	Blocking                               []fleet.BlockingObject
}

// changed reports whether anything was written.
func (a Applied) changed() bool { return a.Created+a.Configured+a.Pruned > 0 }

// objects is how many the baseline has on the cluster.
func (a Applied) objects() int { return a.Created + a.Configured + a.Unchanged }

// Dependencies is what activities work with. All but Accounts and Guardrails
// are needed.
type Dependencies struct {
	Inventory  inventory.Store
	Providers  Providers
	Management Management
	Baselines  Baselines
	Locks      Locks
	Residency  Residency
	Holder     Holder
	Logger     *slog.Logger
	// Accounts are the cloud account settings, by provider.
	Accounts map[string]map[string]string
	// Guardrails makes the objects by which a region's clusters keep residency
	// themselves. Without it no baseline that has them can be delivered.
	Guardrails func(ctx context.Context, region string) ([]json.RawMessage, error)
}

// Activities are the activities of all workflows.
type Activities struct {
	Dependencies

	now func() time.Time
}

// New makes activities that work with the dependencies.
func New(dependencies Dependencies) *Activities {
	return &Activities{Dependencies: dependencies, now: func() time.Time { return time.Now().UTC() }}
}
