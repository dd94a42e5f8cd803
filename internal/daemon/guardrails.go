package daemon

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"github.com/meridian-fleet/meridian/internal/compliance"
	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/inventory"
	"github.com/meridian-fleet/meridian/internal/residency/enforce"
)

// guardrailsAge is how long a compilation serves while nothing is recorded:
// the clock and the catalog of regions move on without it.
const guardrailsAge = time.Minute

// guardrails makes what clusters keep residency by, as the rules are now. The
// last compilation is kept: all clusters of a rollout ask for it.
type guardrails struct {
	material func(context.Context, fleet.Moment) (compliance.Material, error)
	changes  func(context.Context, inventory.ChangeQuery) ([]inventory.RawChange, error)

	mutex    sync.Mutex
	compiler *enforce.Compiler
	made     time.Time
	revision int64 // of the inventory it rests on
}

// objects are the objects for clusters of a region.
func (g *guardrails) objects(ctx context.Context, region string) ([]json.RawMessage, error) {
	compiler, err := g.current(ctx)
	if err != nil {
		return nil, err
	}
	return compiler.Guardrails(region)
}

func (g *guardrails) current(ctx context.Context) (*enforce.Compiler, error) {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	fresh, err := g.fresh(ctx)
	if err != nil || fresh {
		return g.compiler, err
	}
	material, err := g.material(ctx, fleet.Moment{})
	if err != nil {
		return nil, err
	}
	compiler, err := enforce.New(enforcedInput(material))
	if err != nil {
		return nil, err
	}
	g.compiler, g.made, g.revision = compiler, time.Now(), material.Revision
	return compiler, nil
}

// fresh reports whether the last compilation serves: nothing it rests on was
// recorded since.
func (g *guardrails) fresh(ctx context.Context) (bool, error) {
	if g.compiler == nil || time.Since(g.made) >= guardrailsAge {
		return false, nil
	}
	changed, err := g.changes(ctx, inventory.ChangeQuery{Kinds: append([]fleet.Kind{fleet.KindRegion}, fleet.ResidencyKinds...), After: g.revision, Limit: 1})
	return len(changed) == 0, err
}

// enforcedInput is all that is known, for everything that is declared.
func enforcedInput(material compliance.Material) enforce.Input {
	input := enforce.Input{
		Documents: material.Documents, Catalog: material.Catalog, At: material.At,
		Subjects: material.Subjects, Workloads: make([]enforce.Workload, len(material.Workloads)),
	}
	for i, workload := range material.Workloads {
		input.Workloads[i] = enforce.Workload{Name: workload.Name, Classes: workload.Classes, Exceptions: workload.Exceptions}
		for _, use := range workload.Uses {
			input.Workloads[i].Uses = append(input.Workloads[i].Uses, enforce.Use{Subject: use.Subject, Facets: use.Facets})
		}
	}
	return input
}
