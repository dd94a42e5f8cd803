package providerhost

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/providers"
	"github.com/meridian-fleet/meridian/providers/plugin"
)

// Config of a Host.
type Config struct {
	Dir          string        // folder with the plugin binaries, fleet-provider-NAME
	LockFile     string        // where their checksums are pinned; made when missing
	StartTimeout time.Duration // for one plugin to start; default 30 s
	Logger       *slog.Logger  // default slog.Default()
}

// Host runs plugins. It is safe for concurrent use.
type Host struct {
	config Config
	pins   *pinFile

	mu      sync.Mutex
	plugins map[string]*supervised
	closed  bool
}

var providerName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,30}$`)

// New makes a host for the plugins of a folder. It starts none.
func New(config Config) (*Host, error) {
	if config.Dir == "" || config.LockFile == "" {
		return nil, fleet.Errorf(fleet.ErrInvalid, "a plugin folder and a plugin lock file must be set")
	}
	if info, err := os.Stat(config.Dir); err != nil || !info.IsDir() {
		return nil, fleet.Errorf(fleet.ErrInvalid, "plugin folder %s is not a folder that can be read", config.Dir).
			Advise("put the fleet-provider-NAME binaries there")
	}
	if config.StartTimeout == 0 {
		config.StartTimeout = 30 * time.Second
	}
	if config.Logger == nil {
		config.Logger = slog.Default()
	}
	pins := &pinFile{path: config.LockFile}
	if _, err := pins.load(); err != nil {
		return nil, err
	}
	return &Host{config: config, pins: pins, plugins: map[string]*supervised{}}, nil
}

// Names lists the providers that have a plugin in the folder, sorted.
func (h *Host) Names() []string {
	entries, err := os.ReadDir(h.config.Dir)
	if err != nil {
		h.config.Logger.Error("read plugin folder", "folder", h.config.Dir, "error", err)
		return nil
	}
	var names []string
	for _, entry := range entries {
		name, isPlugin := strings.CutPrefix(entry.Name(), plugin.BinaryPrefix)
		if isPlugin && providerName.MatchString(name) && isExecutable(filepath.Join(h.config.Dir, entry.Name())) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func isExecutable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o111 != 0
}

// Provider returns the provider with a name, fleet.ErrNotFound when it has no
// plugin. The plugin starts on the first call, and again when it crashed.
func (h *Host) Provider(_ context.Context, name string) (providers.Provider, error) {
	return h.supervised(name)
}

func (h *Host) supervised(name string) (*supervised, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return nil, closedError(name)
	}
	if known, ok := h.plugins[name]; ok {
		return known, nil
	}
	path := filepath.Join(h.config.Dir, plugin.BinaryPrefix+name)
	if !providerName.MatchString(name) || !isExecutable(path) {
		return nil, h.unknownProvider(name)
	}
	made := &supervised{host: h, name: name, path: path, logger: h.config.Logger.With("provider", name)}
	h.plugins[name] = made
	return made, nil
}

func (h *Host) unknownProvider(name string) error {
	names := h.Names()
	if len(names) == 0 {
		return fleet.Errorf(fleet.ErrNotFound, "there is no provider %q", name).
			Advise("the plugin folder %s has none", h.config.Dir)
	}
	return fleet.Errorf(fleet.ErrNotFound, "there is no provider %q", name).
		Advise("there are %s", strings.Join(names, ", "))
}

// Ping starts a provider's plugin if need be and asks whether it serves. A
// plugin that does not answer in time is replaced at the next call.
func (h *Host) Ping(ctx context.Context, name string, timeout time.Duration) error {
	known, err := h.supervised(name)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	client, err := known.running(ctx)
	if err != nil {
		return toFleet(name, err)
	}
	if err := client.Ping(ctx); err != nil {
		known.discard(client)
		return toFleet(name, err)
	}
	return nil
}

// PID of a provider's plugin process; zero when none runs.
func (h *Host) PID(name string) int {
	h.mu.Lock()
	known := h.plugins[name]
	h.mu.Unlock()
	if known == nil {
		return 0
	}
	return known.pid()
}

// Kill ends a provider's plugin process with SIGKILL, as a crash would. The
// next call starts another.
func (h *Host) Kill(name string) error {
	pid := h.PID(name)
	if pid == 0 {
		return fleet.Errorf(fleet.ErrNotFound, "no plugin runs for provider %q", name)
	}
	process, err := os.FindProcess(pid)
	if err == nil {
		err = process.Kill()
	}
	if err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fleet.Errorf(fleet.ErrUnavailable, "kill plugin: %w", err).On("Provider " + name)
	}
	return nil
}

// Close ends every plugin and returns when all are gone. Calls under way fail.
func (h *Host) Close() error {
	h.mu.Lock()
	h.closed = true
	plugins := h.plugins
	h.plugins = map[string]*supervised{}
	h.mu.Unlock()
	var ending sync.WaitGroup
	for _, known := range plugins {
		ending.Go(known.close)
	}
	ending.Wait()
	return nil
}

func closedError(name string) error {
	return fleet.Errorf(fleet.ErrUnavailable, "the plugin host is shutting down").On("Provider " + name)
}

// binaryMissing tells an absent binary from one that cannot be read.
func binaryMissing(err error) bool { return errors.Is(err, fs.ErrNotExist) }
