package sandbox

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// LaunchConfig is how to start a sandbox process.
type LaunchConfig struct {
	StateDir string
	Command  []string // the program and its arguments, which end in Run on StateDir
	LogFile  string   // gets what the process writes
}

// Launch finds the sandbox that runs on a state folder, or starts one as a process
// that outlives this one, and waits until it is ready.
func Launch(ctx context.Context, config LaunchConfig) (*Client, error) {
	client, err := Find(ctx, config.StateDir)
	if err == nil {
		return client, client.WaitReady(ctx)
	}
	if !errors.Is(err, fleet.ErrNotFound) {
		return nil, err
	}
	exited, err := start(config)
	if err != nil {
		return nil, fleet.Errorf(fleet.ErrUnavailable, "start: %w", err).On("sandbox " + config.StateDir)
	}
	return awaitReady(ctx, config, exited)
}

// awaitReady waits for a sandbox that was just started. Should two be started at
// once, only one gets the state folder, and both launchers get that one.
func awaitReady(ctx context.Context, config LaunchConfig, exited <-chan struct{}) (*Client, error) {
	var ready *Client
	err := poll(ctx, func() (bool, error) {
		ended := isClosed(exited) // before looking, so that the last look counts
		client, err := Find(ctx, config.StateDir)
		if err == nil {
			status, err := client.Status(ctx)
			ready = client
			return err == nil && status.Ready, nil
		}
		if ended {
			return false, whyItEnded(config)
		}
		return false, nil
	})
	return ready, err
}

func isClosed(channel <-chan struct{}) bool {
	select {
	case <-channel:
		return true
	default:
		return false
	}
}

// start starts the process. The channel is closed when it has ended.
func start(config LaunchConfig) (<-chan struct{}, error) {
	for _, path := range []string{config.StateDir, filepath.Dir(config.LogFile)} {
		if err := os.MkdirAll(path, 0o700); err != nil {
			return nil, err
		}
	}
	_ = os.Remove(folder(config.StateDir).failure())
	log, err := os.OpenFile(config.LogFile, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer func() { _ = log.Close() }()
	process := detached(config.Command, log)
	if err := process.Start(); err != nil {
		return nil, err
	}
	exited := make(chan struct{})
	go func() {
		defer close(exited)
		_ = process.Wait()
	}()
	return exited, nil
}

// whyItEnded is the error of a sandbox that ended instead of getting ready: in its
// own words when it had time to write them, else the end of its log.
func whyItEnded(config LaunchConfig) error {
	reason, err := os.ReadFile(folder(config.StateDir).failure())
	if err != nil || len(reason) == 0 {
		reason = []byte(lastLines(tail(config.LogFile, 2000), 5))
	}
	return fleet.Errorf(fleet.ErrUnavailable, "ended before it was ready: %s", strings.TrimSpace(string(reason))).
		On("sandbox "+config.StateDir).Advise("its log is %s", config.LogFile)
}

func lastLines(text string, count int) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-count):], "\n")
}
