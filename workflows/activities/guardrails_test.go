package activities_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/workflows"
	"github.com/meridian-fleet/meridian/workflows/activities"
)

// What clusters keep residency by is asked for whenever a cluster is looked
// at: it is compared and delivered as it is then.
func TestGuardrailsAreThoseOfTheMoment(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.cluster("a", targeted())
	version := ""
	f.Guardrails = func(_ context.Context, asked string) ([]json.RawMessage, error) {
		if asked != region {
			t.Errorf("asked about %s", asked)
		}
		return []json.RawMessage{json.RawMessage(`{"version":"` + version + `"}`)}, nil
	}
	seen := ""
	f.world.plan = func(target activities.Target) (activities.Planned, error) {
		seen = string(target.Facts.Generated["residency"][0])
		return activities.Planned{}, nil
	}
	f.world.drift = func(target activities.Target) ([]fleet.DriftFinding, error) {
		seen = string(target.Facts.Generated["residency"][0])
		return nil, nil
	}
	version = "1"
	if _, err := f.PlanRollout(f.ctx, workflows.PlanInput{Spec: fleet.RolloutSpec{Baseline: "platform@1.0.0"}}); err != nil || seen != `{"version":"1"}` {
		t.Errorf("plan saw %s, %v", seen, err)
	}
	version = "2"
	if _, err := f.CompareClusters(f.ctx, workflows.DriftInput{}); err != nil || seen != `{"version":"2"}` {
		t.Errorf("drift saw %s, %v", seen, err)
	}
}

// A cluster nobody can say the rules for is no part of a rollout that goes on
// as if there were none.
func TestGuardrailsThatCannotBeMade(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.cluster("a", targeted())
	f.Guardrails = func(context.Context, string) ([]json.RawMessage, error) {
		return nil, fleet.Errorf(fleet.ErrInvalid, "a policy cannot be read")
	}
	f.world.plan = func(activities.Target) (activities.Planned, error) {
		t.Error("planned all the same")
		return activities.Planned{}, nil
	}
	f.world.apply = func(context.Context, activities.Target, activities.ApplyOptions) (activities.Applied, error) {
		t.Error("applied all the same")
		return activities.Applied{}, nil
	}
	plan, err := f.PlanRollout(f.ctx, workflows.PlanInput{Spec: fleet.RolloutSpec{Baseline: "platform@1.0.0"}})
	if err != nil || !strings.Contains(plan.Waves[0].Clusters[0].Problem, "a policy cannot be read") {
		t.Errorf("plan %+v, %v", plan, err)
	}
	if _, err := f.ApplyBaseline(f.ctx, workflows.ChangeInput{Cluster: "a", Baseline: "platform@1.0.0", Operation: "r1", Actor: "test"}); !errors.Is(err, fleet.ErrInvalid) {
		t.Errorf("apply: %v", err)
	}
}
