package rollout_test

import (
	"context"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/spf13/cobra"

	fleetv1 "github.com/meridian-fleet/meridian/api/fleet/v1"
	"github.com/meridian-fleet/meridian/internal/cli/factory"
	"github.com/meridian-fleet/meridian/internal/cli/rollout"
	"github.com/meridian-fleet/meridian/internal/fleet"
)

func TestBaselineFlags(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		args []string
		want rollout.BaselineOptions
	}{
		{[]string{"p@1"}, rollout.BaselineOptions{Baseline: "p@1"}},
		{[]string{"p@1", "--plan", "--details"}, rollout.BaselineOptions{Baseline: "p@1", Plan: true, Details: true}},
		{
			[]string{"p@1", "-w", "--timeout=1m", "--strategy", "s", "--plan-hash", "h"},
			rollout.BaselineOptions{Baseline: "p@1", Watch: true, Timeout: time.Minute, Strategy: "s", PlanHash: "h"},
		},
		{
			[]string{"p@1", "--wait", "--cluster", "a,b", "--cluster", "c", "-l", "x=y", "-l", "z=1"},
			rollout.BaselineOptions{Baseline: "p@1", Wait: true, Clusters: []string{"a", "b", "c"}, Labels: []string{"x=y", "z=1"}},
		},
	} {
		var got rollout.BaselineOptions
		cmd := rollout.NewBaseline(nil, func(_ context.Context, o *rollout.BaselineOptions) error { got = *o; return nil })
		cmd.SetArgs(test.args)
		if err := cmd.Execute(); err != nil {
			t.Errorf("%q: %v", test.args, err)
		}
		if !reflect.DeepEqual(got, test.want) {
			t.Errorf("%q: %+v", test.args, got)
		}
	}
}

// What cannot be right is refused without a daemon.
func TestBaselineRefuses(t *testing.T) {
	t.Parallel()
	for _, options := range []rollout.BaselineOptions{
		{Baseline: "p"},
		{Baseline: "@1"},
		{Baseline: "p@1", Plan: true, Watch: true},
		{Baseline: "p@1", Plan: true, Wait: true},
		{Baseline: "p@1", Plan: true, PlanHash: "h"},
		{Baseline: "p@1", Details: true},
		{Baseline: "p@1", Timeout: time.Second},
		{Baseline: "p@1", Watch: true, Timeout: -time.Second},
		{Baseline: "p@1", Labels: []string{"x"}},
	} {
		options.Factory = &factory.Factory{}
		if err := rollout.Baseline(t.Context(), &options); !errors.Is(err, fleet.ErrInvalid) {
			t.Errorf("%+v: %v", options, err)
		}
	}
}

func TestControlFlags(t *testing.T) {
	t.Parallel()
	for verb, test := range map[string]struct {
		make  func(*factory.Factory, func(context.Context, *rollout.ControlOptions) error) *cobra.Command
		order fleetv1.RolloutControl
	}{
		"pause":  {rollout.NewPause, fleetv1.RolloutControl_ROLLOUT_CONTROL_PAUSE},
		"resume": {rollout.NewResume, fleetv1.RolloutControl_ROLLOUT_CONTROL_RESUME},
		"abort":  {rollout.NewAbort, fleetv1.RolloutControl_ROLLOUT_CONTROL_ABORT},
	} {
		var got rollout.ControlOptions
		cmd := test.make(nil, func(_ context.Context, o *rollout.ControlOptions) error { got = *o; return nil })
		cmd.SetArgs([]string{"r-1", "--reason", "why"})
		if err := cmd.Execute(); err != nil || cmd.Name() != verb {
			t.Errorf("%s is %s, %v", verb, cmd.Name(), err)
		}
		if got.Rollout != "r-1" || got.Reason != "why" || got.Order != test.order || got.Told == "" {
			t.Errorf("%s: %+v", verb, got)
		}
	}
}

func TestStatusFlags(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		args []string
		want rollout.StatusOptions
	}{
		{[]string{}, rollout.StatusOptions{}},
		{[]string{"r-1", "--watch", "--timeout", "5m"}, rollout.StatusOptions{Rollout: "r-1", Watch: true, Timeout: 5 * time.Minute}},
	} {
		var got rollout.StatusOptions
		cmd := rollout.NewStatus(nil, func(_ context.Context, o *rollout.StatusOptions) error { got = *o; return nil })
		cmd.SetArgs(test.args)
		if err := cmd.Execute(); err != nil || got != test.want {
			t.Errorf("%q: %+v, %v", test.args, got, err)
		}
	}
	for _, options := range []rollout.StatusOptions{{Timeout: time.Second}, {Watch: true, Timeout: -1}} {
		if err := rollout.Status(t.Context(), &options); !errors.Is(err, fleet.ErrInvalid) {
			t.Errorf("%+v: %v", options, err)
		}
	}
}
