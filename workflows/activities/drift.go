package activities

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/workflows"
)

// CompareClusters compares clusters with the baselines they should have and
// records what differs. A cluster a change runs on is left out; one that
// cannot be reached is a finding about that cluster only.
func (a *Activities) CompareClusters(ctx context.Context, input workflows.DriftInput) (workflows.DriftSummary, error) {
	clusters, err := a.named(ctx, input.Clusters)
	if err != nil {
		return workflows.DriftSummary{}, err
	}
	found := comparison{summary: workflows.DriftSummary{Checked: []string{}}}
	group, groupContext := errgroup.WithContext(ctx)
	group.SetLimit(compareParallel)
	for _, cluster := range clusters {
		if cluster.status.Baseline != nil && cluster.status.Baseline.Target != "" {
			group.Go(func() error { return a.compareCluster(groupContext, cluster, &found) })
		}
	}
	err = group.Wait()
	return found.sorted(), err
}

// named reads the clusters with the names, all of them without names.
func (a *Activities) named(ctx context.Context, names []string) ([]cluster, error) {
	if len(names) == 0 {
		return a.clusters(ctx)
	}
	var found []cluster
	var faults []error
	for _, name := range names {
		one, err := a.cluster(ctx, name)
		found, faults = append(found, one), append(faults, err)
	}
	return found, errors.Join(faults...)
}

// comparison collects what comparing clusters at once finds.
type comparison struct {
	mutex   sync.Mutex
	summary workflows.DriftSummary
}

func (c *comparison) note(change func(*workflows.DriftSummary)) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	change(&c.summary)
}

func (c *comparison) sorted() workflows.DriftSummary {
	slices.Sort(c.summary.Checked)
	slices.Sort(c.summary.Drifted)
	slices.Sort(c.summary.Changing)
	return c.summary
}

func (a *Activities) compareCluster(ctx context.Context, cluster cluster, found *comparison) error {
	name := cluster.meta.Name
	changing := func(err error) error {
		found.note(func(s *workflows.DriftSummary) { s.Changing = append(s.Changing, name) })
		return err
	}
	lock := workflows.ChangeID(name)
	if held, err := a.Locks.Held(ctx, lock); err != nil || held {
		return changing(err)
	}
	wanted := cluster.status.Baseline.Target
	findings, failure := a.driftOf(ctx, name, wanted)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	// A change that began meanwhile makes what was seen worthless.
	if held, err := a.Locks.Held(ctx, lock); err != nil || held {
		return changing(err)
	}
	return a.recordDrift(ctx, cluster, findings, failure, found)
}

func (a *Activities) driftOf(ctx context.Context, name, wanted string) ([]fleet.DriftFinding, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	target, _, err := a.target(ctx, name, wanted)
	if err != nil {
		return nil, err
	}
	return a.Baselines.Drift(ctx, target)
}

func (a *Activities) recordDrift(ctx context.Context, seen cluster, findings []fleet.DriftFinding, failure error, found *comparison) error {
	name, stale := seen.meta.Name, false
	err := a.updateCluster(ctx, workflows.DriftID, name, func(status *fleet.ClusterStatus) {
		if stale = !sameBaseline(status.Baseline, seen.status.Baseline); stale {
			return // a whole change went by since
		}
		if failure != nil {
			if status.Drift == nil {
				status.Drift = &fleet.DriftReport{Baseline: seen.status.Baseline.Target}
			}
			status.Drift.Message = "could not be checked: " + failure.Error()
			return
		}
		status.Drift = &fleet.DriftReport{CheckedAt: a.now(), Baseline: seen.status.Baseline.Target, Findings: findings}
	})
	if errors.Is(err, fleet.ErrNotFound) { // removed meanwhile
		return nil
	}
	found.note(func(s *workflows.DriftSummary) { summarise(s, name, stale, findings, failure) })
	return err
}

func sameBaseline(a, b *fleet.ClusterBaseline) bool {
	if a == nil || b == nil {
		return a == b
	}
	sameTime := a.AppliedAt == b.AppliedAt || a.AppliedAt != nil && b.AppliedAt != nil && a.AppliedAt.Equal(*b.AppliedAt)
	return sameTime && a.Target == b.Target && a.Applied == b.Applied
}

func summarise(s *workflows.DriftSummary, name string, stale bool, findings []fleet.DriftFinding, failure error) {
	switch {
	case stale:
		s.Changing = append(s.Changing, name)
	case failure != nil:
		if s.Unreachable == nil {
			s.Unreachable = map[string]string{}
		}
		s.Unreachable[name] = failure.Error()
	default:
		s.Checked = append(s.Checked, name)
		if len(findings) > 0 {
			s.Drifted = append(s.Drifted, name)
		}
	}
}

// SelectDrifted finds what a healing has to do, and records its changes.
func (a *Activities) SelectDrifted(ctx context.Context, input workflows.HealInput) (workflows.HealSelection, error) {
	clusters, err := a.named(ctx, input.Clusters)
	if err != nil {
		return workflows.HealSelection{}, err
	}
	var selected workflows.HealSelection
	for _, cluster := range clusters {
		selectCluster(&selected, cluster, len(input.Clusters) > 0)
	}
	return selected, a.DeclareChanges(ctx, workflows.DeclareInput{Operation: input.Heal, Actor: input.Actor, Changes: selected.Changes})
}

// selectCluster takes a cluster that was asked for or that drifted.
func selectCluster(selected *workflows.HealSelection, cluster cluster, asked bool) {
	has, drift := cluster.status.Baseline, cluster.status.Drift
	drifted := drift != nil && len(drift.Findings) > 0
	switch {
	case has != nil && has.Target != "" && (asked || drifted):
		selected.Changes = append(selected.Changes, fleet.ClusterChangeSpec{
			Cluster: cluster.meta.Name, Region: cluster.spec.Region, Baseline: has.Target, Reason: "heal",
		})
	case asked:
		if selected.Refused == nil {
			selected.Refused = map[string]string{}
		}
		selected.Refused[cluster.meta.Name] = "it has no baseline to be taken back to"
	}
}
