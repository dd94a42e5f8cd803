package drift_test

import (
	"context"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/meridian-fleet/meridian/internal/cli/drift"
	"github.com/meridian-fleet/meridian/internal/fleet"
)

func TestListFlags(t *testing.T) {
	t.Parallel()
	var got drift.ListOptions
	cmd := drift.NewList(nil, func(_ context.Context, o *drift.ListOptions) error { got = *o; return nil })
	cmd.SetArgs([]string{"a", "b", "--check", "--exit-code", "--timeout", "1m"})
	want := drift.ListOptions{Clusters: []string{"a", "b"}, Check: true, ExitCode: true, Timeout: time.Minute}
	if err := cmd.Execute(); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestHealFlags(t *testing.T) {
	t.Parallel()
	var got drift.HealOptions
	cmd := drift.NewHeal(nil, func(_ context.Context, o *drift.HealOptions) error { got = *o; return nil })
	cmd.SetArgs([]string{"a", "--timeout", "1m"})
	want := drift.HealOptions{Clusters: []string{"a"}, Timeout: time.Minute}
	if err := cmd.Execute(); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestTimeoutsArePositive(t *testing.T) {
	t.Parallel()
	if err := drift.List(t.Context(), &drift.ListOptions{Timeout: -1}); !errors.Is(err, fleet.ErrInvalid) {
		t.Errorf("list: %v", err)
	}
	if err := drift.Heal(t.Context(), &drift.HealOptions{Timeout: -1}); !errors.Is(err, fleet.ErrInvalid) {
		t.Errorf("heal: %v", err)
	}
}
