package region_test

import (
	"context"
	"errors"
	"io"
	"reflect"
	"testing"
	"time"

	"github.com/meridian-fleet/meridian/internal/cli/factory"
	"github.com/meridian-fleet/meridian/internal/cli/region"
	"github.com/meridian-fleet/meridian/internal/cli/resource"
	"github.com/meridian-fleet/meridian/internal/fleet"
)

func TestOnboardFlags(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		args []string
		want region.OnboardOptions
	}{
		{nil, region.OnboardOptions{Regions: []string{}}},
		{[]string{"a/b", "c/d", "-w"}, region.OnboardOptions{Regions: []string{"a/b", "c/d"}, Wait: true}},
		{[]string{"--all", "--wait", "--timeout", "90s"}, region.OnboardOptions{Regions: []string{}, All: true, Wait: true, Timeout: 90 * time.Second}},
	} {
		var got region.OnboardOptions
		cmd := region.NewOnboard(nil, func(_ context.Context, o *region.OnboardOptions) error { got = *o; return nil })
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
func TestOnboardRefuses(t *testing.T) {
	t.Parallel()
	for _, options := range []region.OnboardOptions{
		{},
		{All: true, Regions: []string{"a/b"}},
		{All: true, Timeout: time.Second},
		{All: true, Wait: true, Timeout: -time.Second},
	} {
		options.Factory = &factory.Factory{}
		if err := region.Onboard(t.Context(), &options); !errors.Is(err, fleet.ErrInvalid) {
			t.Errorf("%+v: %v", options, err)
		}
	}
}

func TestAbortFlags(t *testing.T) {
	t.Parallel()
	var got region.AbortOptions
	run := func(_ context.Context, o *region.AbortOptions) error { got = *o; return nil }
	cmd := region.NewAbort(nil, run)
	cmd.SetArgs([]string{"a/b", "--reason", "why"})
	if err := cmd.Execute(); err != nil || got != (region.AbortOptions{Region: "a/b", Reason: "why"}) {
		t.Errorf("%+v, %v", got, err)
	}
	for _, wrong := range [][]string{{}, {"a/b", "c/d"}} {
		cmd := region.NewAbort(nil, run)
		cmd.SetArgs(wrong)
		cmd.SetOut(io.Discard)
		cmd.SetErr(io.Discard)
		if err := cmd.Execute(); !errors.Is(err, fleet.ErrInvalid) {
			t.Errorf("%q: %v", wrong, err)
		}
	}
}

func TestListFlags(t *testing.T) {
	t.Parallel()
	var got resource.GetOptions
	cmd := region.NewList(nil, func(_ context.Context, o *resource.GetOptions) error { got = *o; return nil })
	cmd.SetArgs([]string{"-l", "a=b", "--as-of", "1h"})
	want := resource.GetOptions{Kind: "region", Labels: []string{"a=b"}, AsOf: "1h"}
	if err := cmd.Execute(); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
}
