package resource

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"strings"

	"connectrpc.com/connect"
	"github.com/spf13/cobra"

	fleetv1 "github.com/meridian-fleet/meridian/api/fleet/v1"
	"github.com/meridian-fleet/meridian/internal/cli/complete"
	"github.com/meridian-fleet/meridian/internal/cli/factory"
	"github.com/meridian-fleet/meridian/internal/cli/failure"
	"github.com/meridian-fleet/meridian/internal/cli/kinds"
	"github.com/meridian-fleet/meridian/internal/cli/output"
	"github.com/meridian-fleet/meridian/internal/cli/usage"
)

// DeleteOptions are the inputs of delete.
type DeleteOptions struct {
	*factory.Factory
	Kind string
	Name string
	Yes  bool
}

// NewDelete makes the command delete.
func NewDelete(f *factory.Factory, run func(context.Context, *DeleteOptions) error) *cobra.Command {
	options := &DeleteOptions{Factory: f}
	cmd := &cobra.Command{
		Use:   "delete KIND NAME",
		Short: "Remove a declared resource; its history stays",
		Long: `Remove a resource from the inventory. What is still in use is refused. The
history of the resource stays and can be read with --as-of and history.`,
		Example: `  fleetctl delete rolloutstrategy three-waves
  fleetctl delete baseline platform@1.0.0 --yes`,
		Args:              usage.Args(1, 2),
		ValidArgsFunction: complete.KindAndNames(f, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			options.Kind, options.Name = kindAndName(args)
			return run(cmd.Context(), options)
		},
	}
	cmd.Flags().BoolVarP(&options.Yes, "yes", "y", false, "do not ask")
	return cmd
}

// Delete runs delete.
func Delete(ctx context.Context, options *DeleteOptions) error {
	kind, err := kinds.Lookup(options.Kind)
	if err != nil {
		return err
	}
	if options.Name == "" {
		return failure.Usagef("want the name of a %s", strings.ToLower(string(kind.Kind)))
	}
	client, err := options.Client()
	if err != nil {
		return err
	}
	if err := options.confirm(kind); err != nil {
		return err
	}
	_, err = client.Delete(ctx, connect.NewRequest(&fleetv1.DeleteRequest{Kind: string(kind.Kind), Name: options.Name}))
	if err != nil {
		return err
	}
	name := output.NameOf(string(kind.Kind), options.Name)
	if options.Output.Tabular() {
		name += " deleted"
	}
	fmt.Fprintln(options.Streams.Out, name)
	return nil
}

// confirm asks the person, or wants --yes where there is none.
func (o *DeleteOptions) confirm(kind kinds.Kind) error {
	if o.Yes {
		return nil
	}
	if !o.Streams.CanAsk {
		return failure.Usagef("not deleted: nobody can be asked here").Advise("say --yes")
	}
	fmt.Fprintf(o.Streams.Err, "Delete %s %s? [y/N] ", kind.Kind, o.Name)
	answer, _ := bufio.NewReader(o.Streams.In).ReadString('\n') // no answer is a no
	switch strings.ToLower(strings.TrimSpace(answer)) {
	case "y", "yes":
		return nil
	}
	return &failure.Exit{Code: failure.Failed, Err: errors.New("not deleted")}
}
