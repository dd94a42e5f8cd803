package whoami

import (
	"context"
	"fmt"
	"strings"

	"connectrpc.com/connect"
	"github.com/spf13/cobra"

	fleetv1 "github.com/meridian-fleet/meridian/api/fleet/v1"
	"github.com/meridian-fleet/meridian/internal/cli/factory"
	"github.com/meridian-fleet/meridian/internal/cli/output"
	"github.com/meridian-fleet/meridian/internal/cli/usage"
)

// Options are the inputs of whoami.
type Options struct {
	*factory.Factory
}

// New makes the command whoami.
func New(f *factory.Factory, run func(context.Context, *Options) error) *cobra.Command {
	options := &Options{Factory: f}
	return &cobra.Command{
		Use:   "whoami",
		Short: "Show as whom fleetd knows you, and your roles",
		Example: `  fleetctl whoami
  fleetctl whoami --user officer -o json`,
		Args: usage.Args(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), options) },
	}
}

// Run runs whoami.
func Run(ctx context.Context, options *Options) error {
	client, err := options.Residency()
	if err != nil {
		return err
	}
	response, err := client.WhoAmI(ctx, connect.NewRequest(&fleetv1.WhoAmIRequest{}))
	if err != nil {
		return err
	}
	user, roles := response.Msg.GetUser(), response.Msg.GetRoles()
	switch options.Output {
	case output.JSON, output.YAML:
		return output.Value(options.Streams.Out, options.Output, output.Object("User",
			map[string]any{"user": user, "roles": append([]string{}, roles...)}))
	case output.Name:
		fmt.Fprintln(options.Streams.Out, user)
		return nil
	}
	fmt.Fprintf(options.Streams.Out, "%s (%s)\n", user, output.OrDash(strings.Join(roles, ", ")))
	return nil
}
