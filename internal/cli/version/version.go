package version

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"

	"connectrpc.com/connect"
	"github.com/spf13/cobra"

	fleetv1 "github.com/meridian-fleet/meridian/api/fleet/v1"
	"github.com/meridian-fleet/meridian/internal/cli/factory"
	"github.com/meridian-fleet/meridian/internal/cli/output"
	"github.com/meridian-fleet/meridian/internal/cli/usage"
)

// Version of this fleetctl; the build sets it.
var Version = "dev"

// Options are the inputs of version.
type Options struct {
	*factory.Factory
	OnlyClient bool
}

// New makes the command version.
func New(f *factory.Factory, run func(context.Context, *Options) error) *cobra.Command {
	options := &Options{Factory: f}
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Show the versions of fleetctl and fleetd",
		Example: `  fleetctl version
  fleetctl version --client -o json`,
		Args: usage.Args(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), options) },
	}
	cmd.Flags().BoolVar(&options.OnlyClient, "client", false, "only of fleetctl, without asking fleetd")
	return cmd
}

// build is what is known of a binary.
type build struct {
	Version string `json:"version"`
	Commit  string `json:"commit,omitempty"`
	Go      string `json:"goVersion"`
}

// Run runs version. When fleetd does not answer, fleetctl's own is printed all
// the same.
func Run(ctx context.Context, options *Options) error {
	builds := map[string]build{"fleetctl": own()}
	var failed error
	if !options.OnlyClient {
		var daemon build
		if daemon, failed = daemons(ctx, options.Factory); failed == nil {
			builds["fleetd"] = daemon
		}
	}
	if err := options.print(builds); err != nil {
		return err
	}
	return failed
}

func (o *Options) print(builds map[string]build) error {
	if o.Output == output.JSON || o.Output == output.YAML {
		return output.Value(o.Streams.Out, o.Output, output.Object("Versions", builds))
	}
	for _, program := range []string{"fleetctl", "fleetd"} {
		build, ok := builds[program]
		if !ok {
			continue
		}
		commit := ""
		if build.Commit != "" {
			commit = " commit " + build.Commit
		}
		fmt.Fprintf(o.Streams.Out, "%-8s  %s%s (%s)\n", program, build.Version, commit, build.Go)
	}
	return nil
}

func own() build {
	result := build{Version: Version, Go: runtime.Version()}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, setting := range info.Settings {
			if setting.Key == "vcs.revision" {
				result.Commit = setting.Value
			}
		}
	}
	return result
}

func daemons(ctx context.Context, f *factory.Factory) (build, error) {
	client, err := f.Client()
	if err != nil {
		return build{}, err
	}
	response, err := client.GetVersion(ctx, connect.NewRequest(&fleetv1.GetVersionRequest{}))
	if err != nil {
		return build{}, err
	}
	return build{response.Msg.GetVersion(), response.Msg.GetCommit(), response.Msg.GetGoVersion()}, nil
}
