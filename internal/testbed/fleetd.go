package testbed

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	readyWithin = 3 * time.Minute
	stopWithin  = time.Minute
)

// Fleetd is one fleetd in dev mode with its data folder, over any number of
// lives of the process.
type Fleetd struct {
	Bin     string    // folder of the built binaries
	DataDir string    // its data folder, client.json and fleetd.log included
	Out     io.Writer // where Fleetctl shows commands and their output

	arguments []string
	mutex     sync.Mutex
	process   *exec.Cmd
	exited    chan struct{} // closed when the present process has ended
	exitErr   error
}

// Start starts fleetd with the binaries in bin, in a new data folder, and
// waits until its API answers. More arguments go to `fleetd dev`.
func Start(ctx context.Context, bin string, out io.Writer, arguments ...string) (*Fleetd, error) {
	absolute, err := filepath.Abs(bin)
	if err != nil {
		return nil, err
	}
	dataDir, err := os.MkdirTemp("", "meridian-")
	if err != nil {
		return nil, err
	}
	f := &Fleetd{Bin: absolute, DataDir: dataDir, Out: out, arguments: arguments}
	if err := f.Launch(ctx); err != nil {
		return nil, errors.Join(err, f.Stop())
	}
	return f, nil
}

// Launch starts the process (again) and waits until its API answers.
func (f *Fleetd) Launch(ctx context.Context) error {
	log, err := os.OpenFile(f.logPath(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	arguments := append([]string{"dev", "--data-dir", f.DataDir, "--listen", "127.0.0.1:0"}, f.arguments...)
	process := exec.Command(filepath.Join(f.Bin, "fleetd"), arguments...)
	process.Env = f.environment()
	process.Stdout, process.Stderr = log, log
	process.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // a keyboard interrupt reaches the caller alone, which then stops fleetd
	if err := process.Start(); err != nil {
		return err
	}
	exited := make(chan struct{})
	f.mutex.Lock()
	f.process, f.exited = process, exited
	f.mutex.Unlock()
	go func() {
		err := process.Wait()
		f.mutex.Lock()
		f.exitErr = err
		f.mutex.Unlock()
		close(exited)
	}()
	return f.awaitReady(ctx, exited)
}

func (f *Fleetd) awaitReady(ctx context.Context, exited <-chan struct{}) error {
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	for {
		if _, err := f.Output(ctx, "get", "regions"); err == nil {
			return nil
		}
		select {
		case <-exited:
			return errors.Join(errors.New("fleetd ended while it started"), f.exitError(), errors.New(f.LogTail()))
		case <-ctx.Done():
			return fmt.Errorf("fleetd was not ready in time: %w\n%s", ctx.Err(), f.LogTail())
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// Kill ends the process with SIGKILL and waits until it is gone; the sandbox
// lives on.
func (f *Fleetd) Kill() {
	process, exited := f.current()
	_ = process.Process.Kill()
	<-exited
}

// Stop ends fleetd and the sandbox, checks that nothing is left running and
// removes the data folder.
func (f *Fleetd) Stop() error {
	process, exited := f.current()
	if process != nil {
		_ = process.Process.Signal(syscall.SIGTERM)
		select {
		case <-exited:
		case <-time.After(stopWithin):
			_ = process.Process.Kill()
			return fmt.Errorf("fleetd did not end within %s\n%s", stopWithin, f.LogTail())
		}
		if err := f.exitError(); err != nil {
			return fmt.Errorf("fleetd did not end cleanly: %w\n%s", err, f.LogTail())
		}
	}
	if left := f.ProcessesLeft(); len(left) > 0 {
		return fmt.Errorf("still running:\n%s", strings.Join(left, "\n"))
	}
	return os.RemoveAll(f.DataDir)
}

// ProcessesLeft lists the command lines of living processes that have this
// data folder among their arguments or were started from our binaries with it
// in their environment.
func (f *Fleetd) ProcessesLeft() []string {
	var left []string
	folders, _ := filepath.Glob("/proc/[0-9]*")
	for _, folder := range folders {
		command, err := os.ReadFile(filepath.Join(folder, "cmdline"))
		if err != nil || len(command) == 0 {
			continue // it ended meanwhile, or is a zombie
		}
		executable, _ := os.Readlink(filepath.Join(folder, "exe"))
		environment, _ := os.ReadFile(filepath.Join(folder, "environ"))
		ours := strings.HasPrefix(executable, f.Bin+"/") && bytes.Contains(environment, []byte(f.DataDir))
		if ours || bytes.Contains(command, []byte(f.DataDir)) {
			left = append(left, filepath.Base(folder)+" "+string(bytes.ReplaceAll(command, []byte{0}, []byte{' '})))
		}
	}
	return left
}

// LogTail is the end of fleetd's log.
func (f *Fleetd) LogTail() string {
	raw, err := os.ReadFile(f.logPath())
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(raw)), "\n")
	return strings.Join(lines[max(0, len(lines)-40):], "\n")
}

// PID of the present process.
func (f *Fleetd) PID() int {
	process, _ := f.current()
	return process.Process.Pid
}

func (f *Fleetd) logPath() string { return filepath.Join(f.DataDir, "fleetd.log") }

func (f *Fleetd) environment() []string {
	return append(os.Environ(), "MERIDIAN_CONFIG="+filepath.Join(f.DataDir, "client.json"), "NO_COLOR=1")
}

func (f *Fleetd) current() (*exec.Cmd, <-chan struct{}) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	return f.process, f.exited
}

func (f *Fleetd) exitError() error {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	return f.exitErr
}
