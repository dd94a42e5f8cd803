package cluster_test

import (
	"context"
	"testing"

	"github.com/meridian-fleet/meridian/internal/cli/cluster"
)

func TestKubeconfigFlags(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		args []string
		want cluster.KubeconfigOptions
	}{
		{[]string{"a"}, cluster.KubeconfigOptions{Cluster: "a", Out: "-"}},
		{[]string{"a", "--out", "file"}, cluster.KubeconfigOptions{Cluster: "a", Out: "file"}},
	} {
		var got cluster.KubeconfigOptions
		cmd := cluster.NewKubeconfig(nil, func(_ context.Context, o *cluster.KubeconfigOptions) error { got = *o; return nil })
		cmd.SetArgs(test.args)
		if err := cmd.Execute(); err != nil || got != test.want {
			t.Errorf("%q: %+v, %v", test.args, got, err)
		}
	}
}
