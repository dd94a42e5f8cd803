package baseline

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// Plan is what an Apply would do to a cluster. Delete is what it would prune.
type Plan struct {
	Create    int
	Update    int
	Delete    int
	Unchanged int
	Conflicts int
	Changes   []fleet.ObjectChange // create, update, replace, delete, conflict; in the order of the components
}

// Plan says what Apply would do. It writes nothing: what is not provably
// unchanged is sent as a dry run, so that policies, webhooks and other field
// managers have their say. An object whose kind or namespace is not there yet
// counts as created; one that the cluster refuses is an error.
func (c *Cluster) Plan(ctx context.Context, resolved *Resolved) (*Plan, error) {
	return c.plan(ctx, resolved, c.tryObject)
}

// Preview is a Plan that asks less of the cluster: an object that it does not
// have counts as created without asking whether it would be admitted.
func (c *Cluster) Preview(ctx context.Context, resolved *Resolved) (*Plan, error) {
	return c.plan(ctx, resolved, c.previewObject)
}

// planned is what would become of one object.
type planned struct {
	action  string
	fields  []string
	managed []string // who else owns the fields
	live    *unstructured.Unstructured
}

type planFunc func(ctx context.Context, seen *observation, wanted *wantedObject) (planned, error)

func (c *Cluster) plan(ctx context.Context, resolved *Resolved, decide planFunc) (*Plan, error) {
	seen, err := c.observe(ctx, resolved)
	if err != nil {
		return nil, err
	}
	decisions, err := c.decideAll(ctx, seen, decide)
	if err != nil {
		return nil, err
	}
	plan := &Plan{}
	for _, component := range resolved.Components {
		for _, wanted := range seen.wanted[component.Name] {
			plan.add(component.Name, wanted.key, decisions[wanted.key])
		}
	}
	for _, gone := range seen.dropped() {
		plan.add(gone.GetAnnotations()[AnnotationComponent], keyOf(gone), planned{action: "delete"})
	}
	return plan, nil
}

func (p *Plan) add(component string, key objectKey, decision planned) {
	switch decision.action {
	case "unchanged":
		p.Unchanged++
		return
	case "create":
		p.Create++
	case "update", "replace":
		p.Update++
	case "delete":
		p.Delete++
	case "conflict":
		p.Conflicts++
	}
	p.Changes = append(p.Changes, fleet.ObjectChange{Component: component, Object: key.String(), Action: decision.action, Fields: decision.fields})
}

// decideAll decides all wanted objects, reporting all that are refused.
func (c *Cluster) decideAll(ctx context.Context, seen *observation, decide planFunc) (map[objectKey]planned, error) {
	decisions := make(map[objectKey]planned, len(seen.byKey))
	var mu sync.Mutex
	var refused []error
	group, groupContext := errgroup.WithContext(ctx)
	group.SetLimit(concurrency)
	for key, wanted := range seen.byKey {
		if seen.unchanged(wanted) {
			mu.Lock()
			decisions[key] = planned{action: "unchanged", live: seen.live[key]}
			mu.Unlock()
			continue
		}
		group.Go(func() error {
			decision, err := decide(groupContext, seen, wanted)
			mu.Lock()
			defer mu.Unlock()
			decisions[key] = decision
			if kind := fleet.KindOf(err); kind == fleet.ErrInvalid || kind == fleet.ErrDenied {
				refused = append(refused, err)
				return nil
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return decisions, errors.Join(refused...)
}

// previewObject decides without a dry run when the cluster does not have the
// object.
func (c *Cluster) previewObject(ctx context.Context, seen *observation, wanted *wantedObject) (planned, error) {
	if len(seen.record.entries) == 0 && len(seen.live) == 0 {
		// Nothing of this baseline is there: whatever exists is foreign, and
		// met when it is applied.
		return planned{action: "create"}, nil
	}
	if seen.live[wanted.key] == nil {
		if _, recorded := seen.record.entries[wanted.key]; !recorded {
			return planned{action: "create"}, nil
		}
	}
	return c.tryObject(ctx, seen, wanted)
}

// tryObject asks the cluster, by a dry run, what an apply would do.
func (c *Cluster) tryObject(ctx context.Context, seen *observation, wanted *wantedObject) (planned, error) {
	at, err := c.kinds.find(ctx, wanted.kind(), false)
	if meta.IsNoMatchError(err) {
		return planned{action: "create"}, nil
	}
	if err != nil {
		return planned{}, clusterFault(wanted.key.String(), "find its kind", err)
	}
	live := seen.live[wanted.key]
	if live == nil {
		if live, err = c.client.get(ctx, at, wanted.key.namespace, wanted.key.name); ignoreNotFound(err) != nil {
			return planned{}, clusterFault(wanted.key.String(), "read", err)
		}
	}
	after, _, err := c.dryRun(ctx, seen, at, wanted)
	if apierrors.IsInternalError(err) {
		err = c.diagnose(ctx, at, wanted, err)
	}
	switch {
	case err == nil && live == nil:
		return planned{action: "create"}, nil
	case err == nil:
		return changeOf(live, after), nil
	case len(conflictsOf(err)) > 0:
		return conflictDecision(live, conflictsOf(err)), nil
	case live == nil && notYet(err):
		return planned{action: "create"}, nil
	case apierrors.IsInvalid(err) && live != nil && c.isImmutableChange(ctx, at, wanted):
		return immutableDecision(live, wanted), nil
	case deniedByAdmission(err):
		return planned{}, fleet.Errorf(fleet.ErrDenied, "%w", err).On(wanted.key.String())
	}
	return planned{}, clusterFault(wanted.key.String(), "plan", err)
}

// dryRun applies an object without writing, taking back what was ours.
func (c *Cluster) dryRun(ctx context.Context, seen *observation, at resource, wanted *wantedObject) (*unstructured.Unstructured, bool, error) {
	after, created, err := c.client.apply(ctx, at, wanted.key.namespace, wanted.key.name, wanted.body, applyOptions{dryRun: true})
	if err != nil && seen.mayForce(wanted, conflictsOf(err)) {
		return c.client.apply(ctx, at, wanted.key.namespace, wanted.key.name, wanted.body, applyOptions{dryRun: true, force: true})
	}
	return after, created, err
}

func changeOf(live, after *unstructured.Unstructured) planned {
	fields := changedFields(live, after)
	if len(fields) == 0 && live.GetAnnotations()[AnnotationDigest] == after.GetAnnotations()[AnnotationDigest] {
		return planned{action: "unchanged", live: live}
	}
	return planned{action: "update", fields: fields, managed: managersOf(live, fields), live: live}
}

func conflictDecision(live *unstructured.Unstructured, conflicts []fieldConflict) planned {
	decision := planned{action: "conflict", live: live}
	for _, conflict := range conflicts {
		decision.fields = append(decision.fields, fmt.Sprintf("%s (owned by %s)", conflict.field, conflict.manager))
		decision.managed = append(decision.managed, conflict.manager)
	}
	return decision
}

func immutableDecision(live *unstructured.Unstructured, wanted *wantedObject) planned {
	if wanted.replaceable() {
		return planned{action: "replace", live: live}
	}
	return planned{action: "conflict", fields: []string{"a field that cannot be changed in place"}, live: live}
}
