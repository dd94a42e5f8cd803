package daemon

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"slices"
	"sync"
	"time"
)

// stopTimeout bounds how long one part may take to stop.
const stopTimeout = 40 * time.Second

// cleanup stops what was started, the last first.
type cleanup struct {
	logger *slog.Logger
	mutex  sync.Mutex
	steps  []cleanupStep
}

type cleanupStep struct {
	name string
	stop func(context.Context) error
}

func (c *cleanup) add(name string, stop func(context.Context) error) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.steps = append(c.steps, cleanupStep{name, stop})
}

// run stops everything. The context that made fleetd stop is over by now, so
// each step gets one of its own.
func (c *cleanup) run() error {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	var faults []error
	for _, step := range slices.Backward(c.steps) {
		ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
		began := time.Now()
		if err := step.stop(ctx); err != nil {
			faults = append(faults, fmt.Errorf("stop %s: %w", step.name, err))
		}
		cancel()
		c.logger.Debug("stopped", "part", step.name, "took", time.Since(began))
	}
	c.steps = nil
	return errors.Join(faults...)
}

func ignoreClosed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

func removeIfThere(path string) error {
	if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
