package resource

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/meridian-fleet/meridian/internal/cli/factory"
	"github.com/meridian-fleet/meridian/internal/cli/kinds"
	"github.com/meridian-fleet/meridian/internal/cli/usage"
	"github.com/meridian-fleet/meridian/internal/fleet"
)

// NewList makes the verb list of a kind's noun: get under another name.
func NewList(f *factory.Factory, kind fleet.Kind, run func(context.Context, *GetOptions) error, example string) *cobra.Command {
	options := &GetOptions{Factory: f, Kind: strings.ToLower(string(kind))}
	cmd := &cobra.Command{
		Use:     "list",
		Aliases: []string{"ls"},
		Short:   "List " + kinds.Of(kind).Plural,
		Example: example,
		Args:    usage.Args(0, 0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), options) },
	}
	options.addFilters(cmd)
	return cmd
}
