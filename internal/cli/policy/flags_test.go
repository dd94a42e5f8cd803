package policy_test

import (
	"context"
	"errors"
	"reflect"
	"testing"

	"github.com/meridian-fleet/meridian/internal/cli/factory"
	"github.com/meridian-fleet/meridian/internal/cli/policy"
	"github.com/meridian-fleet/meridian/internal/cli/question"
	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/residency/enforce"
)

func TestCompileFlags(t *testing.T) {
	t.Parallel()
	f := &factory.Factory{}
	var got policy.CompileOptions
	cmd := policy.NewCompile(f, func(_ context.Context, o *policy.CompileOptions) error { got = *o; return nil })
	cmd.SetArgs([]string{
		"a", "--target", "aws", "--for", "class/x,y", "--for", "dataset/z", "--facet", "storage", "--out", "b", "--region", "c/d",
		"--break-glass", "arn", "--gcp-resource", "projects/p", "--management-group", "--refuse-unlabelled", "--known-at", "2026-01-01",
	})
	if err := cmd.Execute(); err != nil {
		t.Fatal(err)
	}
	want := policy.CompileOptions{
		Factory: f, Moment: question.Moment{KnownAt: "2026-01-01"}, Paths: []string{"a"}, Target: "aws", For: []string{"class/x,y", "dataset/z"},
		Facets: []string{"storage"}, Out: "b", AWS: enforce.AWS{BreakGlass: []string{"arn"}}, GCP: enforce.GCP{Resource: "projects/p"},
		Azure: enforce.Azure{ManagementGroup: true}, Kubernetes: enforce.Kubernetes{Region: "c/d", RefuseUnlabelled: true},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v", got)
	}
}

// What cannot be meant is refused before anybody is asked.
func TestWhatCannotBeMeantIsRefused(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	for name, err := range map[string]error{
		"no target":   policy.Compile(ctx, &policy.CompileOptions{Factory: &factory.Factory{}}),
		"a workload":  policy.Compile(ctx, &policy.CompileOptions{Factory: &factory.Factory{}, Target: "aws", For: []string{"workload/a"}}),
		"known files": policy.Compile(ctx, &policy.CompileOptions{Factory: &factory.Factory{}, Target: "aws", Paths: []string{"a"}, Moment: question.Moment{KnownAt: "2026-01-01"}}),
		"no diff":     policy.Diff(ctx, &policy.DiffOptions{Factory: &factory.Factory{}}),
		"no name":     policy.Diff(ctx, &policy.DiffOptions{Factory: &factory.Factory{}, Delete: []string{"policy"}}),
		"no kind":     policy.Diff(ctx, &policy.DiffOptions{Factory: &factory.Factory{}, Delete: []string{"law/a"}}),
	} {
		if !errors.Is(err, fleet.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
