package command

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/sandbox"
)

func newSandbox() *cobra.Command {
	var config sandbox.Config
	var logs logFlags
	command := &cobra.Command{
		Use:   "sandbox --state-dir DIR --kubebox PROGRAM",
		Short: "Run the clouds on this machine (fleetd dev does it by itself)",
		Args:  noArguments,
		RunE: func(command *cobra.Command, _ []string) error {
			var missing []error
			for flag, value := range map[string]string{"--state-dir": config.StateDir, "--kubebox": config.KubeboxBinary} {
				if value == "" {
					missing = append(missing, fleet.Errorf(fleet.ErrInvalid, "needed").At(fleet.Position{}, flag))
				}
			}
			err := errors.Join(missing...)
			if err != nil {
				return err
			}
			if config.Logger, err = logs.logger(command.ErrOrStderr()); err != nil {
				return err
			}
			return sandbox.Run(command.Context(), config)
		},
	}
	command.Flags().StringVar(&config.StateDir, "state-dir", "", "folder for the sandbox's state")
	command.Flags().StringVar(&config.KubeboxBinary, "kubebox", "", "program that runs one control plane")
	logs.register(command)
	return command
}
