package baseline

import (
	"context"
	"errors"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// defaultReadyTimeout holds when ApplyOptions do not say.
const defaultReadyTimeout = 5 * time.Minute

// ApplyOptions change how Apply works.
type ApplyOptions struct {
	ReadyTimeout time.Duration  // for everything to be applied and ready; default 5m
	OnProgress   func(Progress) // called as things happen, never twice at once
}

// Step is what a run does with a component.
type Step string

// The steps of a component.
const (
	StepApplying Step = "applying"
	StepWaiting  Step = "waiting" // for its objects to be ready
	StepReady    Step = "ready"
	StepPruning  Step = "pruning" // the whole baseline; Component is empty
)

// Progress says that a component came a step further.
type Progress struct {
	Component string
	Step      Step
	Objects   int // of the component, or to be pruned
}

// Result is what an Apply did.
type Result struct {
	Created    int
	Configured int
	Unchanged  int
	Pruned     int
	Changes    []fleet.ObjectChange   // what was created, updated and deleted
	Blocking   []fleet.BlockingObject // what keeps the cluster from being ready; empty after success
}

// Objects counts the objects that the cluster has of the baseline.
func (r *Result) Objects() int { return r.Created + r.Configured + r.Unchanged }

// Apply takes the cluster to the baseline: components in the order of their
// dependencies, each ready before those that need it start; then what the
// baseline dropped is deleted. The Result says what was done also when Apply
// fails. What is not ready in time is an ErrWaiting, with what it waits for in
// Result.Blocking; what will never be, an ErrNeedsHuman. Apply may be repeated
// at any time, also after it was interrupted.
func (c *Cluster) Apply(ctx context.Context, resolved *Resolved, options ApplyOptions) (*Result, error) {
	if options.ReadyTimeout <= 0 {
		options.ReadyTimeout = defaultReadyTimeout
	}
	result := &Result{}
	seen, err := c.observe(ctx, resolved)
	if err != nil {
		return result, err
	}
	run := newRun(c, resolved, options, seen)
	err = run.execute(ctx)
	return run.result(), err
}

// run is one Apply under way.
type run struct {
	cluster  *Cluster
	resolved *Resolved
	options  ApplyOptions
	seen     *observation
	watched  *watchedObjects
	slots    chan struct{} // bounds requests under way

	mu       sync.Mutex
	outcomes map[objectKey]outcome
	pruned   []*unstructured.Unstructured
	waits    map[objectKey]string // why an object could not be applied yet
	blocking []fleet.BlockingObject

	progress sync.Mutex
}

// outcome is what became of one wanted object.
type outcome struct {
	action  string // create, update, unchanged
	adopted bool
	fields  []byte // that we own now
}

func newRun(c *Cluster, resolved *Resolved, options ApplyOptions, seen *observation) *run {
	return &run{
		cluster: c, resolved: resolved, options: options, seen: seen,
		watched: newWatchedObjects(c, resolved.Name),
		slots:   make(chan struct{}, concurrency), outcomes: map[objectKey]outcome{}, waits: map[objectKey]string{},
	}
}

// reference is the baseline as NAME@VERSION.
func (r *run) reference() string { return fleet.BaselineName(r.resolved.Name, r.resolved.Version) }

func (r *run) execute(ctx context.Context) error {
	if err := r.recordIntent(ctx); err != nil {
		return err
	}
	if err := r.components(ctx); err != nil {
		return err
	}
	if err := r.prune(ctx); err != nil {
		return err
	}
	return r.recordOutcome(ctx)
}

// components applies all components, each as soon as those it depends on are
// ready. The first that fails ends the others: they are finished by the next
// run.
func (r *run) components(ctx context.Context) error {
	timed, cancel := context.WithTimeoutCause(ctx, r.options.ReadyTimeout, errReadyTimeout)
	defer cancel()
	group, groupContext := errgroup.WithContext(timed)
	defer r.watched.stop()
	r.watched.start(groupContext)
	done := map[string]chan struct{}{}
	for _, component := range r.resolved.Components {
		done[component.Name] = make(chan struct{})
	}
	for _, component := range r.resolved.Components {
		group.Go(func() error {
			for _, dependency := range component.DependsOn {
				select {
				case <-done[dependency]:
				case <-groupContext.Done():
					return context.Cause(groupContext)
				}
			}
			if err := r.component(groupContext, component); err != nil {
				return err
			}
			close(done[component.Name])
			return nil
		})
	}
	err := group.Wait()
	if errors.Is(err, errReadyTimeout) {
		return r.timeoutFault(ctx)
	}
	return err
}

// component applies one component, phase by phase, and waits for it.
func (r *run) component(ctx context.Context, component ResolvedComponent) error {
	objects := r.seen.wanted[component.Name]
	r.report(Progress{Component: component.Name, Step: StepApplying, Objects: len(objects)})
	for phase := range phases {
		if err := r.phase(ctx, component, phase); err != nil {
			return err
		}
	}
	r.report(Progress{Component: component.Name, Step: StepWaiting, Objects: len(objects)})
	if err := r.waitReady(ctx, component, objects, component.checks); err != nil {
		return err
	}
	r.report(Progress{Component: component.Name, Step: StepReady, Objects: len(objects)})
	return nil
}

// phase applies a component's objects of one phase, all at once. Definitions
// are in force before it returns.
func (r *run) phase(ctx context.Context, component ResolvedComponent, phase phase) error {
	var objects []*wantedObject
	changed := false // a definition of kinds
	group, groupContext := errgroup.WithContext(ctx)
	for _, wanted := range r.seen.wanted[component.Name] {
		if wanted.phase != phase {
			continue
		}
		objects = append(objects, wanted)
		if r.seen.unchanged(wanted) {
			r.keep(wanted)
			continue
		}
		changed = changed || wanted.key.groupKind() == definitionKind
		group.Go(func() error { return r.send(groupContext, wanted) })
	}
	if err := group.Wait(); err != nil || phase != phaseDefinitions {
		return err
	}
	if err := r.waitReady(ctx, component, objects, nil); err != nil {
		return err
	}
	if changed {
		r.cluster.kinds.forget()
	}
	return nil
}

// keep leaves an unchanged object alone.
func (r *run) keep(wanted *wantedObject) {
	live, entry := r.seen.live[wanted.key], r.seen.record.entries[wanted.key]
	r.watched.put(live)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.outcomes[wanted.key] = outcome{action: "unchanged", adopted: entry.Adopted, fields: entry.fields}
}

func (r *run) report(progress Progress) {
	if r.options.OnProgress == nil {
		return
	}
	r.progress.Lock()
	defer r.progress.Unlock()
	r.options.OnProgress(progress)
}

// result counts what was done so far.
func (r *run) result() *Result {
	r.mu.Lock()
	defer r.mu.Unlock()
	result := &Result{Pruned: len(r.pruned), Blocking: r.blocking}
	for _, component := range r.resolved.Components {
		for _, wanted := range r.seen.wanted[component.Name] {
			action := r.outcomes[wanted.key].action
			switch action {
			case "create":
				result.Created++
			case "update":
				result.Configured++
			case "unchanged":
				result.Unchanged++
			}
			if action == "create" || action == "update" {
				result.Changes = append(result.Changes, fleet.ObjectChange{Component: component.Name, Object: wanted.key.String(), Action: action})
			}
		}
	}
	for _, gone := range r.pruned {
		result.Changes = append(result.Changes, fleet.ObjectChange{Component: gone.GetAnnotations()[AnnotationComponent], Object: keyOf(gone).String(), Action: "delete"})
	}
	return result
}
