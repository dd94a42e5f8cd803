package command

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/meridian-fleet/meridian/internal/daemon/version"
)

func newVersion() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  noArguments,
		Run: func(command *cobra.Command, _ []string) {
			text := "fleetd " + version.Version
			if commit := version.Commit(); commit != "" {
				text += " (" + commit + ")"
			}
			fmt.Fprintln(command.OutOrStdout(), text, version.Go())
		},
	}
}
