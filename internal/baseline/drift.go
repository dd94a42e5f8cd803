package baseline

import (
	"context"
	"errors"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// The types of drift.
const (
	DriftMissing   = "missing"
	DriftChanged   = "changed"
	DriftExtra     = "extra" // of the baseline once, and still there
	DriftUnhealthy = "unhealthy"
)

// Drift compares a cluster with its baseline and writes nothing. Objects are
// named in the order of the components, extra ones last.
func (c *Cluster) Drift(ctx context.Context, resolved *Resolved) ([]fleet.DriftFinding, error) {
	seen, err := c.observe(ctx, resolved)
	if err != nil {
		return nil, err
	}
	// A change of the baseline that the cluster refuses does not keep us from
	// saying what else has drifted.
	decisions, err := c.decideAll(ctx, seen, func(ctx context.Context, seen *observation, wanted *wantedObject) (planned, error) {
		decision, err := c.tryObject(ctx, seen, wanted)
		if kind := fleet.KindOf(err); kind == fleet.ErrInvalid || kind == fleet.ErrDenied {
			return planned{action: "conflict", fields: []string{plainReason(errors.Unwrap(err))}}, nil
		}
		return decision, err
	})
	if err != nil {
		return nil, err
	}
	var findings []fleet.DriftFinding
	for _, component := range resolved.Components {
		for _, wanted := range seen.wanted[component.Name] {
			findings = append(findings, driftOf(component.Name, wanted.key, decisions[wanted.key])...)
		}
		checked, err := c.checkDrift(ctx, seen, component, findings)
		if err != nil {
			return nil, err
		}
		findings = append(findings, checked...)
	}
	for _, live := range seen.dropped() {
		findings = append(findings, fleet.DriftFinding{Component: live.GetAnnotations()[AnnotationComponent], Object: keyOf(live).String(), Type: DriftExtra})
	}
	return findings, nil
}

// driftOf says how one object differs. Only one that is as it should be can be
// called unhealthy: the others may be so because they differ.
func driftOf(component string, key objectKey, decision planned) []fleet.DriftFinding {
	finding := fleet.DriftFinding{Component: component, Object: key.String(), Fields: decision.fields, Manager: strings.Join(decision.managed, ", ")}
	switch decision.action {
	case "create":
		finding.Type = DriftMissing
	case "unchanged":
		state := condition{component: component, key: key}.decide(decision.live)
		if state.ready {
			return nil
		}
		finding.Type, finding.Fields = DriftUnhealthy, []string{state.reason}
	default:
		finding.Type = DriftChanged
	}
	return []fleet.DriftFinding{finding}
}

// checkDrift decides a component's ready checks, for objects that nothing was
// found of yet.
func (c *Cluster) checkDrift(ctx context.Context, seen *observation, component ResolvedComponent, found []fleet.DriftFinding) ([]fleet.DriftFinding, error) {
	var findings []fleet.DriftFinding
	for i := range component.checks {
		check := &component.checks[i]
		at, err := c.kinds.findResource(ctx, schema.ParseGroupResource(check.spec.Resource))
		if err != nil {
			return nil, clusterFault(check.spec.Resource+" "+check.spec.Name, "find the resource of a ready check", err)
		}
		key := check.key(at)
		if slices.ContainsFunc(found, func(finding fleet.DriftFinding) bool { return finding.Object == key.String() }) {
			continue
		}
		live := seen.live[key]
		if live == nil {
			if live, err = c.client.get(ctx, at, key.namespace, key.name); ignoreNotFound(err) != nil {
				return nil, clusterFault(key.String(), "read", err)
			}
		}
		if state := (condition{component: component.Name, key: key, check: check}).decide(live); !state.ready {
			findings = append(findings, fleet.DriftFinding{Component: component.Name, Object: key.String(), Type: DriftUnhealthy, Fields: []string{state.reason}})
		}
	}
	return findings, nil
}
