package baseline

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

var errReadyTimeout = errors.New("not ready in time")

// condition is one thing that must be so for a component to be ready: an
// object's own status, or a check the component declares.
type condition struct {
	component string
	key       objectKey
	target    watchTarget
	check     *readyCheck // nil: the object's status by kstatus
}

// verdict is what a condition says now.
type verdict struct {
	ready  bool
	failed bool   // and will not become ready by itself
	reason string // what it waits for
}

// waitReady waits until a component's objects and checks are ready.
func (r *run) waitReady(ctx context.Context, component ResolvedComponent, objects []*wantedObject, checks []readyCheck) error {
	pending, err := r.conditions(ctx, component, objects, checks)
	if err != nil {
		return err
	}
	for {
		changed, failure := r.watched.next()
		if failure != nil {
			return failure
		}
		var failed []fleet.BlockingObject
		pending = slices.DeleteFunc(pending, func(c condition) bool {
			verdict := c.decide(r.watched.state(c.key))
			if verdict.failed {
				failed = append(failed, c.blocking(verdict.reason))
			}
			return verdict.ready
		})
		if len(failed) > 0 {
			return r.failedFault(ctx, failed)
		}
		if len(pending) == 0 {
			return nil
		}
		for _, condition := range pending {
			r.watched.ensure(condition.target)
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// conditions lists what a component waits for.
func (r *run) conditions(ctx context.Context, component ResolvedComponent, objects []*wantedObject, checks []readyCheck) ([]condition, error) {
	var out []condition
	for _, wanted := range objects {
		at, err := r.cluster.kinds.find(ctx, wanted.kind(), true)
		if err != nil {
			return nil, clusterFault(wanted.key.String(), "find its kind", err)
		}
		out = append(out, condition{component: component.Name, key: wanted.key, target: watchTarget{resource: at}})
	}
	for i := range checks {
		at, err := r.checkResource(ctx, checks[i])
		if err != nil {
			return nil, err
		}
		out = append(out, r.checkCondition(component.Name, at, &checks[i]))
	}
	return out, nil
}

// checkResource finds the kind a check is about.
func (r *run) checkResource(ctx context.Context, check readyCheck) (resource, error) {
	at, err := r.cluster.kinds.findResource(ctx, schema.ParseGroupResource(check.spec.Resource))
	if err != nil {
		return at, clusterFault(check.spec.Resource+" "+check.spec.Name, "find the resource of a ready check", err)
	}
	return at, nil
}

func (r *run) checkCondition(component string, at resource, check *readyCheck) condition {
	key := check.key(at)
	target := watchTarget{resource: at}
	if r.seen.byKey[key] == nil { // made by somebody else, and so without our label
		target.namespace, target.name = key.namespace, key.name
	}
	return condition{component: component, key: key, target: target, check: check}
}

// key identifies the object a check is about.
func (c *readyCheck) key(at resource) objectKey {
	key := objectKey{at.Group, at.kind, c.spec.Namespace, c.spec.Name}
	switch {
	case !at.namespaced:
		key.namespace = ""
	case key.namespace == "":
		key.namespace = "default"
	}
	return key
}

func (c condition) blocking(reason string) fleet.BlockingObject {
	return fleet.BlockingObject{Component: c.component, Object: c.key.String(), Reason: reason}
}

// decide says whether the condition holds for an object's present state.
func (c condition) decide(live *unstructured.Unstructured) verdict {
	if live == nil {
		return verdict{reason: "it does not exist"}
	}
	if c.check != nil {
		return c.check.decide(live)
	}
	computed, err := status.Compute(live)
	if err != nil {
		return verdict{reason: "its status cannot be read: " + err.Error()}
	}
	return verdict{
		ready: computed.Status == status.CurrentStatus, failed: computed.Status == status.FailedStatus,
		reason: plainStatus(live, computed),
	}
}

func (c *readyCheck) decide(live *unstructured.Unstructured) verdict {
	holds, err := c.check.holds(map[string]any{"object": live.Object})
	if err != nil {
		return verdict{reason: fmt.Sprintf("check %q cannot be decided yet: %v", c.spec.Check, err)}
	}
	return verdict{ready: holds, reason: fmt.Sprintf("check %q is false", c.spec.Check)}
}

var countMessage = regexp.MustCompile(`^(\w+): (\d+)/(\d+)$`)

// plainStatus says in plain words what kstatus says in short.
func plainStatus(live *unstructured.Unstructured, computed *status.Result) string {
	message := strings.TrimSpace(computed.Message)
	if found := countMessage.FindStringSubmatch(message); found != nil {
		what := map[string]string{"Replicas": "created", "Current": "created"}[found[1]]
		if what == "" {
			what = strings.ToLower(found[1])
		}
		return fmt.Sprintf("%s of %s pods are %s", found[2], found[3], what)
	}
	if live.GetDeletionTimestamp() != nil {
		return "it is being deleted"
	}
	if message == "" {
		return "its status is " + string(computed.Status)
	}
	return message
}

// failedFault reports objects that will not become ready by themselves.
func (r *run) failedFault(ctx context.Context, failed []fleet.BlockingObject) error {
	for _, object := range r.explain(ctx, failed) {
		r.block(object)
	}
	return fleet.Errorf(fleet.ErrNeedsHuman, "failed: %s", failed[0].Reason).On(failed[0].Object).
		Advise("component %s cannot become ready until this is mended", failed[0].Component)
}

// timeoutFault reports what is not ready when the time is over.
func (r *run) timeoutFault(ctx context.Context) error {
	blocking := r.explain(ctx, r.notReady(ctx))
	for _, object := range blocking {
		r.block(object)
	}
	if len(blocking) == 0 {
		return fleet.Errorf(fleet.ErrWaiting, "not ready after %s", r.options.ReadyTimeout).On("Baseline " + r.reference())
	}
	first := blocking[0]
	return fleet.Errorf(fleet.ErrWaiting, "component %s is not ready after %s: %s: %s", first.Component, r.options.ReadyTimeout, first.Object, first.Reason).
		On("Baseline " + r.reference())
}

// notReady lists what keeps components from being ready: those whose
// dependencies are ready, for the others wait for these only.
func (r *run) notReady(ctx context.Context) []fleet.BlockingObject {
	var blocking []fleet.BlockingObject
	unready := map[string]bool{}
	for _, component := range r.resolved.Components {
		waits := slices.ContainsFunc(component.DependsOn, func(name string) bool { return unready[name] })
		found := r.componentNotReady(ctx, component)
		unready[component.Name] = waits || len(found) > 0
		if !waits {
			blocking = append(blocking, found...)
		}
	}
	return blocking
}

func (r *run) componentNotReady(ctx context.Context, component ResolvedComponent) []fleet.BlockingObject {
	var blocking []fleet.BlockingObject
	for _, wanted := range r.seen.wanted[component.Name] {
		found := condition{component: component.Name, key: wanted.key}
		if !r.reached(wanted.key) {
			continue
		}
		if reason := r.waitReason(wanted.key); reason != "" {
			blocking = append(blocking, found.blocking(reason))
		} else if verdict := found.decide(r.watched.state(wanted.key)); !verdict.ready {
			blocking = append(blocking, found.blocking(verdict.reason))
		}
	}
	for i := range component.checks {
		at, err := r.checkResource(ctx, component.checks[i])
		if err != nil {
			continue
		}
		found := r.checkCondition(component.Name, at, &component.checks[i])
		if verdict := found.decide(r.watched.state(found.key)); !verdict.ready {
			blocking = append(blocking, found.blocking(verdict.reason))
		}
	}
	return blocking
}

// reached reports whether the run came to an object at all.
func (r *run) reached(key objectKey) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, done := r.outcomes[key]
	return done || r.waits[key] != ""
}

func (r *run) waitReason(key objectKey) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.waits[key]
}
