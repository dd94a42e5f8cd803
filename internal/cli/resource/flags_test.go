package resource_test

import (
	"context"
	"reflect"
	"testing"

	"github.com/spf13/cobra"

	"github.com/meridian-fleet/meridian/internal/cli/resource"
)

func execute(t *testing.T, cmd *cobra.Command, args ...string) {
	t.Helper()
	cmd.SetArgs(args)
	if err := cmd.Execute(); err != nil {
		t.Errorf("%q: %v", args, err)
	}
}

func TestApplyFlags(t *testing.T) {
	t.Parallel()
	var got resource.ApplyOptions
	run := func(_ context.Context, o *resource.ApplyOptions) error { got = *o; return nil }
	execute(t, resource.NewApply(nil, run), "-f", "a,b.yaml", "--file", "-", "--dry-run")
	if want := (resource.ApplyOptions{Files: []string{"a,b.yaml", "-"}, DryRun: true}); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v", got)
	}
}

func TestGetFlags(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		args []string
		want resource.GetOptions
	}{
		{[]string{"clusters"}, resource.GetOptions{Kind: "clusters"}},
		{[]string{"region", "aws/a"}, resource.GetOptions{Kind: "region", Name: "aws/a"}},
		{[]string{"region/aws/a"}, resource.GetOptions{Kind: "region", Name: "aws/a"}},
		{
			[]string{"nodes", "--owner", "c", "-l", "a=b", "-l", "c=d", "--as-of", "1h"},
			resource.GetOptions{Kind: "nodes", Owner: "c", Labels: []string{"a=b", "c=d"}, AsOf: "1h"},
		},
	} {
		var got resource.GetOptions
		run := func(_ context.Context, o *resource.GetOptions) error { got = *o; return nil }
		execute(t, resource.NewGet(nil, run), test.args...)
		if !reflect.DeepEqual(got, test.want) {
			t.Errorf("%q: %+v", test.args, got)
		}
	}
}

func TestDeleteDescribeAndHistoryFlags(t *testing.T) {
	t.Parallel()
	var deleted resource.DeleteOptions
	execute(t, resource.NewDelete(nil, func(_ context.Context, o *resource.DeleteOptions) error { deleted = *o; return nil }), "region/aws/a", "-y")
	if deleted != (resource.DeleteOptions{Kind: "region", Name: "aws/a", Yes: true}) {
		t.Errorf("%+v", deleted)
	}
	var described resource.DescribeOptions
	execute(t, resource.NewDescribe(nil, func(_ context.Context, o *resource.DescribeOptions) error { described = *o; return nil }), "cluster", "a")
	if described != (resource.DescribeOptions{Kind: "cluster", Name: "a"}) {
		t.Errorf("%+v", described)
	}
	var history resource.HistoryOptions
	execute(t, resource.NewHistory(nil, func(_ context.Context, o *resource.HistoryOptions) error { history = *o; return nil }), "cluster", "a")
	if history != (resource.HistoryOptions{Kind: "cluster", Name: "a"}) {
		t.Errorf("%+v", history)
	}
}
