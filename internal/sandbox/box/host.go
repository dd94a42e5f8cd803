package box

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/gofrs/flock"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

const defaultMaxStarting = 3

// Config says how to run a host.
type Config struct {
	Binary string // the kubebox binary
	Dir    string // everything the host keeps; made when missing

	// MaxStarting bounds how many control planes start at once: starting is
	// what costs CPU. 3 when zero.
	MaxStarting int
	Logger      *slog.Logger // nil discards
}

// Host runs the control planes of one directory. It may be used concurrently.
type Host struct {
	config Config
	layout layout
	lock   *flock.Flock
	etcd   *keeper
	slots  chan struct{}

	mutex   sync.Mutex
	members map[string]*member
	closed  bool
}

// member is a control plane by name, whether it exists or not.
type member struct {
	// turn is held while the control plane is made, changed or removed.
	turn   chan struct{}
	keeper *keeper // nil when it does not exist; guarded by the host's mutex
}

// NewHost starts the etcd process that control planes share, and brings back
// the control planes that a former host left in the directory. It returns when
// new ones can be made; those brought back may still be starting.
func NewHost(ctx context.Context, config Config) (*Host, error) {
	if err := complete(&config); err != nil {
		return nil, err
	}
	host := &Host{
		config:  config,
		layout:  layout{config.Dir},
		slots:   make(chan struct{}, config.MaxStarting),
		members: map[string]*member{},
	}
	if err := host.claim(); err != nil {
		return nil, err
	}
	host.etcd = keep("etcd", config.Logger, make(chan struct{}, 1), host.etcdProcess,
		func(context.Context) error { return nil })
	if err := host.resume(ctx); err != nil {
		return nil, errors.Join(err, host.Close())
	}
	return host, nil
}

func complete(config *Config) error {
	config.MaxStarting = cmp.Or(config.MaxStarting, defaultMaxStarting)
	config.Logger = cmp.Or(config.Logger, slog.New(slog.DiscardHandler))
	for _, path := range []*string{&config.Binary, &config.Dir} {
		absolute, err := filepath.Abs(*path)
		if err != nil {
			return fleet.Errorf(fleet.ErrInternal, "find %s: %w", *path, err)
		}
		*path = absolute
	}
	if _, err := os.Stat(config.Binary); err != nil {
		return fleet.Errorf(fleet.ErrNotFound, "the binary that runs control planes: %w", err).Advise("run make build")
	}
	return nil
}

// claim makes the directory and keeps every other host out of it.
func (h *Host) claim() error {
	for _, dir := range []string{h.layout.root, h.layout.clusters(), h.layout.removed(), h.layout.path(logsDir)} {
		if err := os.MkdirAll(dir, ownerEnters); err != nil {
			return fleet.Errorf(fleet.ErrInvalid, "control planes need a directory of their own: %w", err)
		}
	}
	h.lock = flock.New(h.layout.lock())
	locked, err := h.lock.TryLock()
	if err != nil {
		return fleet.Errorf(fleet.ErrInvalid, "lock %s: %w", h.layout.root, err)
	}
	if !locked {
		return fleet.Errorf(fleet.ErrConflict, "another process runs the control planes in %s", h.layout.root)
	}
	return nil
}

// resume waits for etcd, ends removals that were interrupted and starts the
// control planes there are.
func (h *Host) resume(ctx context.Context) error {
	if err := h.awaitReady(ctx, h.etcd, "etcd", h.layout.path(etcdLog)); err != nil {
		return err
	}
	removed, err := directories(h.layout.removed())
	if err != nil {
		return err
	}
	for _, name := range removed {
		if err := h.purge(ctx, name); err != nil {
			return err
		}
	}
	names, err := directories(h.layout.clusters())
	if err != nil {
		return err
	}
	for _, name := range names {
		h.members[name] = &member{turn: make(chan struct{}, 1), keeper: h.keepCluster(name)}
	}
	return nil
}

func directories(dir string) (names []string, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fleet.Errorf(fleet.ErrUnavailable, "list control planes: %w", err)
	}
	for _, entry := range entries {
		if entry.IsDir() {
			names = append(names, entry.Name())
		}
	}
	return names, nil
}

// Close ends every process and releases the directory, whose data stays.
func (h *Host) Close() error {
	h.mutex.Lock()
	h.closed = true
	var keepers []*keeper
	for _, member := range h.members {
		if member.keeper != nil {
			keepers = append(keepers, member.keeper)
		}
	}
	h.mutex.Unlock()
	var closing sync.WaitGroup
	for _, keeper := range keepers {
		closing.Go(keeper.close)
	}
	closing.Wait()
	h.etcd.close() // last: the control planes still write as they end
	if err := h.lock.Unlock(); err != nil {
		return fmt.Errorf("unlock %s: %w", h.layout.root, err)
	}
	return nil
}

// Status is what a supervised process is doing.
type Status struct {
	Name     string
	State    State
	Endpoint string // where it serves, or served last
	PID      int    // 0 when there is no process
	Starts   int    // how often it was started by this host
	Failure  error  // why it is failing; nil when it is not
}

// List returns the state of every control plane, by name.
func (h *Host) List() []Status {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	var list []Status
	for _, member := range h.members {
		if member.keeper != nil {
			list = append(list, member.keeper.status())
		}
	}
	slices.SortFunc(list, func(a, b Status) int { return cmp.Compare(a.Name, b.Name) })
	return list
}

// Etcd returns the state of the etcd process.
func (h *Host) Etcd() Status { return h.etcd.status() }

func (k *keeper) status() Status {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	status := Status{Name: k.name, State: k.state, Endpoint: k.endpoint, Starts: k.starts, Failure: k.failure}
	if k.current != nil {
		status.PID = k.current.id()
	}
	return status
}
