package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// stage is a running fleetd in a data folder of its own, and fleetctl beside it.
type stage struct {
	bin, dataDir string
	fleetd       *exec.Cmd
	exited       chan error
}

func startFleetd(ctx context.Context) (*stage, error) {
	bin, err := filepath.Abs("bin")
	if err != nil {
		return nil, err
	}
	dataDir, err := os.MkdirTemp("", "meridian-demo-")
	if err != nil {
		return nil, err
	}
	s := &stage{bin: bin, dataDir: dataDir, exited: make(chan error, 1)}
	log, err := os.Create(filepath.Join(dataDir, "fleetd.log"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	s.fleetd = exec.Command(filepath.Join(bin, "fleetd"), "dev", "--data-dir", dataDir, "--listen", "127.0.0.1:0")
	s.fleetd.Env = s.environment()
	s.fleetd.Stdout, s.fleetd.Stderr = log, log
	s.fleetd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // an interrupt reaches the demo alone, which then stops fleetd
	if err := s.fleetd.Start(); err != nil {
		return nil, err
	}
	go func() { s.exited <- s.fleetd.Wait() }()
	if err := s.awaitReady(ctx); err != nil {
		return nil, errors.Join(err, s.stop())
	}
	return s, s.fleetctl(ctx, "version")
}

func (s *stage) environment() []string {
	return append(os.Environ(), "MERIDIAN_CONFIG="+filepath.Join(s.dataDir, "client.json"), "NO_COLOR=1")
}

func (s *stage) awaitReady(ctx context.Context) error {
	deadline := time.NewTimer(3 * time.Minute)
	defer deadline.Stop()
	for {
		if _, err := s.output(ctx, "get", "regions"); err == nil {
			return nil
		}
		select {
		case err := <-s.exited:
			s.exited <- err
			return fmt.Errorf("fleetd ended while it started: %v\n%s", err, s.logTail())
		case <-deadline.C:
			return fmt.Errorf("fleetd was not ready in three minutes\n%s", s.logTail())
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// stop ends fleetd and the sandbox, and checks that nothing is left.
func (s *stage) stop() error {
	say("Shut down")
	_ = s.fleetd.Process.Signal(syscall.SIGTERM)
	select {
	case err := <-s.exited:
		if err != nil {
			return fmt.Errorf("fleetd did not end cleanly: %v\n%s", err, s.logTail())
		}
	case <-time.After(time.Minute):
		_ = s.fleetd.Process.Kill()
		return fmt.Errorf("fleetd did not end within a minute\n%s", s.logTail())
	}
	if left := s.processesLeft(); len(left) > 0 {
		return fmt.Errorf("still running: %s", strings.Join(left, "; "))
	}
	return os.RemoveAll(s.dataDir)
}

// processesLeft lists processes that run one of our binaries on our data
// folder, or were started from it.
func (s *stage) processesLeft() []string {
	var left []string
	commands, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, path := range commands {
		raw, err := os.ReadFile(path)
		if err != nil {
			continue // it ended meanwhile
		}
		command := string(bytes.ReplaceAll(bytes.TrimRight(raw, "\x00"), []byte{0}, []byte{' '}))
		if strings.Contains(command, s.dataDir) || strings.HasPrefix(command, filepath.Join(s.bin, "fleet-provider-")) {
			left = append(left, command)
		}
	}
	return left
}

func (s *stage) logTail() string {
	raw, err := os.ReadFile(filepath.Join(s.dataDir, "fleetd.log"))
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(raw)), "\n")
	return strings.Join(lines[max(0, len(lines)-30):], "\n")
}

// fleetctl runs a command before the viewer's eyes.
func (s *stage) fleetctl(ctx context.Context, arguments ...string) error {
	fmt.Printf("$ fleetctl %s\n", strings.Join(arguments, " "))
	started := time.Now()
	command := exec.CommandContext(ctx, filepath.Join(s.bin, "fleetctl"), arguments...)
	command.Env, command.Stdout, command.Stderr = s.environment(), os.Stdout, os.Stderr
	if err := command.Run(); err != nil {
		return fmt.Errorf("fleetctl %s: %w\n%s", strings.Join(arguments, " "), err, s.logTail())
	}
	fmt.Printf("  (%s)\n", time.Since(started).Round(10*time.Millisecond))
	return nil
}

func (s *stage) output(ctx context.Context, arguments ...string) ([]byte, error) {
	command := exec.CommandContext(ctx, filepath.Join(s.bin, "fleetctl"), arguments...)
	command.Env = s.environment()
	out, err := command.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		err = fmt.Errorf("fleetctl %s: %s", strings.Join(arguments, " "), exit.Stderr)
	}
	return out, err
}

func say(text string) { fmt.Printf("\n== %s\n\n", text) }
