package daemon

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"time"

	"go.temporal.io/sdk/client"
	"golang.org/x/sync/errgroup"

	"github.com/meridian-fleet/meridian/internal/capi"
	"github.com/meridian-fleet/meridian/internal/compliance"
	"github.com/meridian-fleet/meridian/internal/evidence"
	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/inventory"
	"github.com/meridian-fleet/meridian/internal/providerhost"
	"github.com/meridian-fleet/meridian/internal/server"
	"github.com/meridian-fleet/meridian/internal/server/starter"
	"github.com/meridian-fleet/meridian/workflows/drift"
)

// Daemon is one run of fleetd.
type Daemon struct {
	config   Config
	logger   *slog.Logger
	announce func(string) // tells a person what happens

	cleanup  cleanup
	broken   chan error // what runs in the background and must not end has ended
	listener net.Listener
	store    inventory.Store
	temporal client.Client
	metrics  *server.Metrics
	clouds   *capi.Management
	plugins  *providerhost.Host
	office   *compliance.Office
	evidence *evidence.Log
	server   *server.Server
}

// Options are what a Daemon is run with beside its configuration.
type Options struct {
	Logger   *slog.Logger
	Announce func(line string) // nil: nobody listens
}

// Run runs fleetd until ctx ends or something it cannot do without breaks, and
// stops everything it started. A clean stop gives nil.
func Run(ctx context.Context, config Config, options Options) error {
	d := &Daemon{config: config, logger: options.Logger, announce: options.Announce, broken: make(chan error, 8)}
	if d.logger == nil {
		d.logger = slog.Default()
	}
	if d.announce == nil {
		d.announce = func(string) {}
	}
	d.cleanup.logger = d.logger
	err := d.run(ctx)
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		err = nil // told to stop while it started
	}
	return errors.Join(err, d.cleanup.run())
}

func (d *Daemon) run(ctx context.Context) error {
	began := time.Now()
	for _, start := range []func(context.Context) error{
		d.claim, d.startFoundations, d.connectClouds, d.startPlugins, d.openOffice, d.startWorkers, d.scheduleDrift, d.serve, d.tellClients,
	} {
		if err := start(ctx); err != nil {
			return err
		}
	}
	d.announceReady(time.Since(began))
	select {
	case <-ctx.Done():
		d.announce("stopping")
		return nil
	case err := <-d.broken:
		return err
	}
}

// claim takes what only one fleetd can have, before anything slow begins.
func (d *Daemon) claim(context.Context) error {
	lock, err := lockDataDir(d.config.DataDir)
	if err != nil {
		return err
	}
	d.cleanup.add("data folder", func(context.Context) error { return lock.Unlock() })
	if d.listener, err = listen(d.config.API.Listen); err != nil {
		return err
	}
	d.cleanup.add("listener", func(context.Context) error { return ignoreClosed(d.listener.Close()) })
	return nil
}

// startFoundations starts what needs nothing else, at the same time.
func (d *Daemon) startFoundations(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	if d.config.Sandbox != nil {
		group.Go(func() error { return d.startSandbox(ctx) })
	}
	group.Go(func() error {
		if err := d.openInventory(ctx); err != nil {
			return err
		}
		if err := d.openEvidence(ctx); err != nil {
			return err
		}
		return d.startTemporal(ctx)
	})
	return group.Wait()
}

func (d *Daemon) openInventory(ctx context.Context) error {
	store, err := openInventory(ctx, d.config.Inventory)
	if err != nil {
		return err
	}
	d.store = store
	d.metrics = server.NewMetrics(store)
	d.cleanup.add("inventory", func(context.Context) error { return store.Close() })
	return nil
}

func (d *Daemon) connectClouds(context.Context) error {
	config, err := restConfig(d.config.Management.Kubeconfig)
	if err != nil {
		return err
	}
	d.clouds, err = capi.Connect(config, d.config.Management.Namespace)
	return err
}

func (d *Daemon) startPlugins(context.Context) error {
	if d.config.Plugins.TrustAnew {
		if err := removeIfThere(d.config.Plugins.LockFile); err != nil {
			return fleet.Errorf(fleet.ErrUnavailable, "forget the plugins' pins: %w", err)
		}
	}
	host, err := providerhost.New(providerhost.Config{
		Dir: d.config.Plugins.Dir, LockFile: d.config.Plugins.LockFile, Logger: d.logger.With("component", "plugins"),
	})
	if err != nil {
		return err
	}
	d.plugins = host
	d.cleanup.add("plugins", func(context.Context) error { return host.Close() })
	return nil
}

func (d *Daemon) scheduleDrift(ctx context.Context) error {
	return drift.EnsureSchedule(ctx, d.temporal, d.config.Drift.Interval)
}

// serve starts to answer. Everything it needs is there by now.
func (d *Daemon) serve(ctx context.Context) error {
	users, issuer, err := d.authenticators()
	if err != nil {
		return err
	}
	workflows := starter.New(d.temporal)
	checks := []server.Check{
		{Name: "inventory", Ask: d.store.Ping}, {Name: "temporal", Ask: workflows.Ping}, {Name: "management cluster", Ask: d.clouds.Ping},
		{Name: "evidence log", Ask: func(context.Context) error { return d.evidence.Err() }},
	}
	if issuer != nil {
		checks = append(checks, server.Check{Name: "identity issuer", Ask: issuer.Ping})
	}
	d.server = server.New(server.Config{
		Store: d.store, Workflows: workflows, Authenticator: users, Kubeconfigs: d.clouds,
		DecodeBundle: decodeBundle, RegionKnown: d.regionKnown, Metrics: d.metrics, Version: thisVersion(),
		Residency: residencyOffice{d.office}, Rules: residencyRules{}, Evidence: d.evidence,
		Logger: d.logger.With("component", "api"), Checks: checks,
	})
	if err := d.server.Recover(ctx); err != nil {
		return err
	}
	return d.serveHTTP()
}
