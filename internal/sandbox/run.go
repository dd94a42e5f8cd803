package sandbox

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"github.com/go-logr/logr"
	"github.com/gofrs/flock"
	"golang.org/x/sync/errgroup"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/sandbox/box"
	"github.com/meridian-fleet/meridian/internal/sandbox/clouds"
	"github.com/meridian-fleet/meridian/internal/sandbox/clusterapi"
)

// Run is the sandbox process: it brings up the management cluster and all that
// was made in it before, and serves until ctx ends or a client stops it. It
// returns when every process it started is gone. One process at a time can use a
// state folder.
func Run(ctx context.Context, config Config) error {
	folder := folder(config.StateDir)
	lock, err := acquire(folder)
	if err != nil {
		return err
	}
	defer func() { _ = lock.Unlock() }()
	_ = os.Remove(folder.failure())
	err = run(ctx, config)
	if err != nil {
		// Who launched this process reads it there.
		_ = os.WriteFile(folder.failure(), []byte(err.Error()), 0o600)
	}
	return err
}

func acquire(folder folder) (*flock.Flock, error) {
	if err := os.MkdirAll(string(folder), 0o700); err != nil {
		return nil, fleet.Errorf(fleet.ErrUnavailable, "state folder: %w", err)
	}
	lock := flock.New(folder.lock())
	locked, err := lock.TryLock()
	if err != nil {
		return nil, fleet.Errorf(fleet.ErrUnavailable, "lock: %w", err).On("sandbox " + string(folder))
	}
	if !locked {
		return nil, fleet.Errorf(fleet.ErrConflict, "another sandbox process uses this state folder").On("sandbox " + string(folder))
	}
	return lock, nil
}

func run(ctx context.Context, config Config) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	direct(config.Logger)
	folder := folder(config.StateDir)
	listener, err := listen(folder)
	if err != nil {
		return fmt.Errorf("control socket: %w", err)
	}
	defer removeSocket(folder)
	process := &process{board: newBoard(folder), stop: stop}
	defer serveControl(listener, process)()

	process.board.set("starting etcd", false)
	host, err := box.NewHost(ctx, box.Config{
		Binary: config.KubeboxBinary, Dir: folder.controlPlanes(), MaxStarting: maxStarting, Logger: config.Logger,
	})
	if err != nil {
		return ended(ctx, fmt.Errorf("control planes: %w", err))
	}
	defer func() {
		process.board.set("stopping", false)
		if err := host.Close(); err != nil {
			config.Logger.Warn("closing control planes", "error", err)
		}
	}()
	process.host.Store(host)
	return ended(ctx, serve(ctx, config, process, host))
}

// maxStarting control planes at a time make best use of two cores.
const maxStarting = 3

// serve brings up the management cluster and runs its controllers.
func serve(ctx context.Context, config Config, process *process, host *box.Host) error {
	process.board.set("starting the management cluster", false)
	management, err := host.Ensure(ctx, managementName)
	if err != nil {
		return fmt.Errorf("management cluster: %w", err)
	}
	restConfig := management.RESTConfig()
	process.board.set("installing definitions", false)
	if err := clusterapi.InstallDefinitions(ctx, restConfig); err != nil {
		return err
	}
	process.board.set("starting controllers", false)
	manager, err := newManager(ctx, config, restConfig, host)
	if err != nil {
		return err
	}
	if err := os.WriteFile(folder(config.StateDir).kubeconfig(), management.Kubeconfig(), 0o600); err != nil {
		return err
	}
	return runManager(ctx, manager, func() {
		process.board.set("ready", true)
		config.Logger.Info("sandbox is ready", "kubeconfig", folder(config.StateDir).kubeconfig())
	})
}

// newManager wires Cluster API and the clouds into one manager.
func newManager(ctx context.Context, config Config, restConfig *rest.Config, host *box.Host) (*clusterapi.Manager, error) {
	manager, err := clusterapi.New(ctx, restConfig, config.Logger)
	if err != nil {
		return nil, fmt.Errorf("controllers: %w", err)
	}
	if err := clouds.Add(manager, controlPlanes{host}); err != nil {
		return nil, fmt.Errorf("stand-ins of the clouds: %w", err)
	}
	return manager, nil
}

// runManager runs the controllers until ctx ends or they fail, and says when they
// are ready.
func runManager(ctx context.Context, manager *clusterapi.Manager, ready func()) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return manager.Start(ctx) })
	group.Go(func() error {
		if err := manager.WaitReady(ctx); err != nil {
			return err
		}
		ready()
		return nil
	})
	return group.Wait()
}

// ended drops errors that only say that the process was told to stop.
func ended(ctx context.Context, err error) error {
	if ctx.Err() != nil && (errors.Is(err, context.Canceled) || errors.Is(err, ctx.Err())) {
		return nil
	}
	return err
}

// direct points the process-wide loggers of Kubernetes' libraries at ours.
func direct(logger *slog.Logger) {
	sink := logr.FromSlogHandler(logger.Handler())
	ctrl.SetLogger(sink)
	klog.SetLogger(sink)
}
