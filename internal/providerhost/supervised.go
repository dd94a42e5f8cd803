package providerhost

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/meridian-fleet/meridian/providers"
	"github.com/meridian-fleet/meridian/providers/plugin"
)

const (
	describeTimeout = 30 * time.Second // of a plugin that just started
	hangTimeout     = 2 * time.Second  // to tell a hung plugin from a slow call
)

// supervised is a provider whose plugin process may come and go.
type supervised struct {
	host   *Host
	name   string
	path   string
	logger *slog.Logger
	starts singleflight.Group
	ending sync.WaitGroup // plugins being killed

	mu          sync.Mutex
	client      *plugin.Client         // nil when none runs
	description *providers.Description // of the pinned binary
	closed      bool
}

var _ providers.Provider = (*supervised)(nil)

// Describe implements providers.Provider. A plugin's answer cannot change as
// long as its binary does not, so that it is asked once.
func (s *supervised) Describe(ctx context.Context) (providers.Description, error) {
	if known := s.described(); known != nil {
		return *known, nil
	}
	if _, err := s.running(ctx); err != nil {
		return providers.Description{}, toFleet(s.name, err)
	}
	known := s.described()
	if known == nil {
		return providers.Description{}, closedError(s.name)
	}
	return *known, nil
}

// ClusterObjects implements providers.Provider.
func (s *supervised) ClusterObjects(ctx context.Context, request providers.ClusterRequest) (providers.ClusterObjects, error) {
	return call(ctx, s, func(client *plugin.Client) (providers.ClusterObjects, error) {
		return client.ClusterObjects(ctx, request)
	})
}

// call makes one call, and once more with a fresh process when the plugin was
// lost under it: what plugins are asked can be asked again.
func call[T any](ctx context.Context, s *supervised, make func(*plugin.Client) (T, error)) (T, error) {
	var zero T
	for attempt := 1; ; attempt++ {
		client, err := s.running(ctx)
		if err != nil {
			return zero, toFleet(s.name, err)
		}
		answer, err := make(client)
		if err == nil {
			return answer, nil
		}
		switch lost := errors.Is(err, plugin.ErrLost); {
		case lost:
			s.discard(client)
		case errors.Is(err, context.DeadlineExceeded):
			s.discardIfHung(ctx, client)
		}
		if !errors.Is(err, plugin.ErrLost) || attempt == 2 {
			return zero, toFleet(s.name, err)
		}
		s.logger.Warn("the provider plugin was lost; starting it again", "error", err)
	}
}

// running returns the running plugin, starting it when there is none. Callers
// that come together share one start, which none of them can cancel.
func (s *supervised) running(ctx context.Context) (*plugin.Client, error) {
	s.mu.Lock()
	client, closed := s.client, s.closed
	s.mu.Unlock()
	if closed {
		return nil, closedError(s.name)
	}
	if client != nil && !client.Exited() {
		return client, nil
	}
	if client != nil {
		s.discard(client)
	}
	started := s.starts.DoChan("start", func() (any, error) { return s.start() })
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case result := <-started:
		if result.Err != nil {
			return nil, result.Err
		}
		return result.Val.(*plugin.Client), nil
	}
}

func (s *supervised) start() (*plugin.Client, error) {
	s.mu.Lock()
	current := s.client
	s.mu.Unlock()
	if current != nil && !current.Exited() {
		return current, nil // another start finished since the caller looked
	}
	client, description, err := s.launch()
	if err != nil && retriable(err) {
		s.logger.Warn("the provider plugin did not start; trying once more", "error", err)
		client, description, err = s.launch()
	}
	if err != nil {
		return nil, err
	}
	return client, s.adopt(client, description)
}

// retriable tells a process that died while starting from a binary that is
// refused.
func retriable(err error) bool {
	return !errors.Is(err, providers.KindDenied) && !errors.Is(err, providers.KindNotFound)
}

// launch runs the pinned binary, or pins it when it is seen for the first time.
func (s *supervised) launch() (*plugin.Client, *providers.Description, error) {
	sum, pinned, err := s.host.pins.check(s.name, s.path)
	if err != nil {
		return nil, nil, err
	}
	began := time.Now()
	client, err := plugin.Dial(plugin.Options{
		Path: s.path, SHA256: sum[:], StartTimeout: s.host.config.StartTimeout, Logger: s.logger,
	})
	if err != nil {
		return nil, nil, err
	}
	description, err := s.describe(client)
	if err == nil && !pinned {
		err = s.host.pins.record(pin{Name: s.name, Version: description.Version, SHA256: sum.String()})
	}
	if err != nil {
		client.Kill()
		return nil, nil, err
	}
	s.logger.Info("provider plugin started", "version", description.Version, "protocol", client.ProtocolVersion(),
		"pid", client.PID(), "sha256", sum.String(), "firstSeen", !pinned, "took", time.Since(began))
	return client, description, nil
}

func (s *supervised) describe(client *plugin.Client) (*providers.Description, error) {
	ctx, cancel := context.WithTimeout(context.Background(), describeTimeout)
	defer cancel()
	description, err := client.Describe(ctx)
	if err != nil {
		return nil, err
	}
	if description.Name != s.name {
		return nil, providers.Errorf(providers.KindUnsupported, "plugin %s calls itself %q, want %q", s.path, description.Name, s.name)
	}
	return &description, nil
}

// adopt makes a started plugin the running one, unless the host closed.
func (s *supervised) adopt(client *plugin.Client, description *providers.Description) error {
	s.mu.Lock()
	closed := s.closed
	if !closed {
		s.client, s.description = client, description
	}
	s.mu.Unlock()
	if closed {
		client.Kill()
		return closedError(s.name)
	}
	return nil
}

// discard ends a plugin that is of no more use, if nobody did so before.
func (s *supervised) discard(client *plugin.Client) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.client != client || s.closed {
		return
	}
	s.client = nil
	s.ending.Go(client.Kill)
}

// discardIfHung ends a plugin that outlasted its caller's patience, when it
// does not answer a ping either.
func (s *supervised) discardIfHung(ctx context.Context, client *plugin.Client) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), hangTimeout)
	defer cancel()
	if err := client.Ping(ctx); err != nil {
		s.logger.Warn("the provider plugin hangs; ending it", "error", err)
		s.discard(client)
	}
}

func (s *supervised) described() *providers.Description {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.description
}

func (s *supervised) pid() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.client == nil {
		return 0
	}
	return s.client.PID()
}

func (s *supervised) close() {
	s.mu.Lock()
	client := s.client
	s.client, s.closed = nil, true
	s.mu.Unlock()
	if client != nil {
		client.Kill()
	}
	// A start under way sees that the host closed and ends what it started.
	_, _, _ = s.starts.Do("start", func() (any, error) { return nil, closedError(s.name) })
	s.ending.Wait()
}
