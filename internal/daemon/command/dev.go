package command

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/meridian-fleet/meridian/internal/daemon"
)

func newDev() *cobra.Command {
	var options daemon.DevOptions
	var logs logFlags
	command := &cobra.Command{
		Use:   "dev",
		Short: "Run everything on this machine, with clouds in a sandbox",
		Long: `Runs fleetd with an embedded Temporal server and inventory, and a sandbox that
stands in for the clouds with real Kubernetes control planes. All data is in one
folder; fleetctl on the same machine finds this fleetd by itself.

There is a user for each part: admin (who fleetctl is by itself), officer,
approver-1, approver-2, operator and viewer, each with a token in the data folder's
users/NAME.token.

An interrupt stops everything in order. A fleetd that is killed leaves the
sandbox running, as a cloud would be, and the next one goes on with it.`,
		Args: noArguments,
		RunE: func(command *cobra.Command, _ []string) error {
			logger, err := logs.logger(command.ErrOrStderr())
			if err != nil {
				return err
			}
			config, err := daemon.Dev(options)
			if err != nil {
				return err
			}
			announce := func(line string) { fmt.Fprintln(command.OutOrStdout(), "fleetd:", line) }
			return daemon.Run(command.Context(), config, daemon.Options{Logger: logger, Announce: announce})
		},
	}
	flags := command.Flags()
	flags.StringVar(&options.DataDir, "data-dir", "", "folder for all data (default $XDG_STATE_HOME/meridian, ~/.local/state/meridian)")
	flags.StringVar(&options.Listen, "listen", "127.0.0.1:7443", "loopback address of the API; port 0 chooses one")
	flags.StringVar(&options.Kubebox, "kubebox", "", "program that runs the sandbox's control planes (default: beside fleetd)")
	flags.BoolVar(&options.KeepSandbox, "keep-sandbox", false, "leave the sandbox running at the stop")
	flags.DurationVar(&options.DriftInterval, "drift-interval", 10*time.Minute, "time between drift checks; 0s: none")
	logs.register(command)
	return command
}
