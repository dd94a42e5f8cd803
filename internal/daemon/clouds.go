package daemon

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/sandbox"
)

// startSandbox finds the sandbox of an earlier fleetd or starts one. It lives
// on when fleetd is killed, as clouds do, and ends with a clean stop.
func (d *Daemon) startSandbox(ctx context.Context) error {
	config := d.config.Sandbox
	executable, err := os.Executable()
	if err != nil {
		return fleet.Errorf(fleet.ErrInternal, "find fleetd's own program: %w", err)
	}
	d.announce("starting the sandbox: clouds on this machine, in " + config.StateDir)
	if !config.Keep {
		// Before the start: one that is interrupted leaves a process, too.
		d.cleanup.add("sandbox", func(ctx context.Context) error { return stopSandbox(ctx, config.StateDir) })
	}
	clouds, err := sandbox.Launch(ctx, sandbox.LaunchConfig{
		StateDir: config.StateDir,
		Command:  []string{executable, "sandbox", "--state-dir", config.StateDir, "--kubebox", config.Kubebox},
		LogFile:  filepath.Join(d.config.DataDir, "sandbox.log"),
	})
	if err != nil {
		return err
	}
	d.config.Management.Kubeconfig = clouds.ManagementKubeconfig()
	return nil
}

func stopSandbox(ctx context.Context, stateDir string) error {
	running, err := sandbox.Find(ctx, stateDir)
	if errors.Is(err, fleet.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return running.Stop(ctx)
}
