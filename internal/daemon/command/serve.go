package command

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/meridian-fleet/meridian/internal/daemon"
	"github.com/meridian-fleet/meridian/internal/fleet"
)

func newServe() *cobra.Command {
	var file string
	var checkOnly bool
	var logs logFlags
	command := &cobra.Command{
		Use:   "serve --config FILE",
		Short: "Run against a Temporal cluster, PostgreSQL and a management cluster",
		Args:  noArguments,
		RunE: func(command *cobra.Command, _ []string) error {
			logger, err := logs.logger(command.ErrOrStderr())
			if err != nil {
				return err
			}
			if file == "" {
				return fleet.Errorf(fleet.ErrInvalid, "needed: the configuration file").At(fleet.Position{}, "--config")
			}
			config, err := daemon.Load(file)
			if err != nil {
				return err
			}
			if checkOnly {
				fmt.Fprintln(command.OutOrStdout(), file, "is in order")
				return nil
			}
			announce := func(line string) { logger.Info(line) }
			return daemon.Run(command.Context(), config, daemon.Options{Logger: logger, Announce: announce})
		},
	}
	command.Flags().StringVar(&file, "config", "", "configuration file")
	command.Flags().BoolVar(&checkOnly, "check-config", false, "check the configuration and start nothing")
	logs.register(command)
	return command
}
