package temporalbox

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/gofrs/flock"
	"go.temporal.io/sdk/client"
	"go.temporal.io/server/common/authorization"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/dynamicconfig"
	"go.temporal.io/server/common/metrics"
	"go.temporal.io/server/temporal"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// Namespace is the Temporal namespace every Meridian workflow lives in unless
// a configuration says otherwise.
const Namespace = "fleet"

// DefaultRetention is how long closed workflows can be looked at.
const DefaultRetention = 30 * 24 * time.Hour

// Config of a box.
type Config struct {
	Dir       string        // holds the database and its lock; made when missing
	Namespace string        // Namespace when empty
	Retention time.Duration // DefaultRetention when zero; only a new database takes it
	Logger    *slog.Logger  // slog.Default when nil
	// Fatal ends the process after a fault the server cannot survive. It must
	// not return. Nil means: say it in one line and exit with code 1.
	Fatal func(message string)
}

func (c Config) withDefaults() (Config, error) {
	absolute, err := filepath.Abs(c.Dir)
	if err != nil {
		return c, err
	}
	// Temporal keys its schema version by the path, so one folder must always
	// be named in one way.
	c.Dir = absolute
	if c.Namespace == "" {
		c.Namespace = Namespace
	}
	if c.Retention == 0 {
		c.Retention = DefaultRetention
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return c, nil
}

// Box is a running server.
type Box struct {
	config      Config
	lock        *flock.Flock
	server      temporal.Server
	address     string
	credentials *credentials
	stopping    atomic.Bool
}

// Start starts a server on the folder and returns when it answers.
func Start(ctx context.Context, config Config) (*Box, error) {
	config, err := config.withDefaults()
	if err != nil {
		return nil, err
	}
	box := &Box{config: config}
	if box.lock, err = lockDir(config.Dir); err != nil {
		return nil, err
	}
	if err := box.start(ctx); err != nil {
		return nil, errors.Join(err, box.Stop())
	}
	return box, nil
}

func lockDir(dir string) (*flock.Flock, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fleet.Errorf(fleet.ErrInvalid, "the folder of the embedded Temporal server cannot be made: %w", err)
	}
	lock := flock.New(filepath.Join(dir, "lock"), flock.SetPermissions(0o600))
	locked, err := lock.TryLock()
	if err != nil {
		return nil, fleet.Errorf(fleet.ErrUnavailable, "lock %s: %w", dir, err)
	}
	if !locked {
		return nil, fleet.Errorf(fleet.ErrConflict, "the Temporal data in %s is in use by another process", dir)
	}
	return lock, nil
}

func (b *Box) start(ctx context.Context) error {
	var err error
	if b.credentials, err = newCredentials(); err != nil {
		return fleet.Errorf(fleet.ErrInternal, "make certificates for the embedded Temporal server: %w", err)
	}
	ports := choosePorts()
	b.address = ports.address(frontend)
	settings := serverConfig(filepath.Join(b.config.Dir, "temporal.db"), ports)
	if err := prepareDatabase(settings, b.config); err != nil {
		return fleet.Errorf(fleet.ErrUnavailable, "prepare the database of the embedded Temporal server: %w", err)
	}
	b.server, err = temporal.NewServer(b.options(settings, ports)...)
	if err != nil {
		return fleet.Errorf(fleet.ErrInternal, "make the embedded Temporal server: %w", err)
	}
	if err := b.server.Start(); err != nil {
		return fleet.Errorf(fleet.ErrUnavailable, "start the embedded Temporal server: %w", err)
	}
	return b.awaitReady(ctx)
}

func (b *Box) options(settings *config.Config, ports ports) []temporal.ServerOption {
	return []temporal.ServerOption{
		temporal.WithConfig(settings),
		temporal.ForServices(temporal.DefaultServices),
		temporal.WithStaticHosts(ports.hosts()),
		temporal.WithLogger(newServerLogger(b.config.Logger, b.config.Fatal, &b.stopping)),
		temporal.WithAuthorizer(authorization.NewNoopAuthorizer()),
		temporal.WithClaimMapper(func(*config.Config) authorization.ClaimMapper { return authorization.NewNoopClaimMapper() }),
		temporal.WithTLSConfigFactory(b.credentials.provider()),
		temporal.WithCustomMetricsHandler(metrics.NoopMetricsHandler),
		temporal.WithDynamicConfigClient(dynamicconfig.StaticClient{
			// A result that arrives between two polls is only seen when the
			// present poll ends; the default of 20 s shows up as rare stalls.
			dynamicconfig.HistoryLongPollExpirationInterval.Key(): time.Second,
			// No word leaves the machine.
			dynamicconfig.EnableServerVersionCheck.Key(): false,
		}),
	}
}

// awaitReady waits until the namespace can be used: services start one after
// the other and the frontend's namespace cache fills a moment later.
func (b *Box) awaitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	connection, err := b.Client(ctx, client.Options{})
	if err != nil {
		return err
	}
	defer connection.Close()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for {
		if _, err = connection.CountWorkflow(ctx, countNothing(b.config.Namespace)); err == nil {
			return nil
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return fleet.Errorf(fleet.ErrUnavailable, "the embedded Temporal server does not answer: %w", err)
		}
	}
}

// Address is the frontend's host:port.
func (b *Box) Address() string { return b.address }

// Namespace is the namespace the box serves.
func (b *Box) Namespace() string { return b.config.Namespace }

// Credentials returns what a client outside the process needs, PEM-encoded.
func (b *Box) Credentials() (certificate, key, authority []byte) {
	return b.credentials.certificatePEM, b.credentials.keyPEM, b.credentials.authorityPEM
}

// Client connects to the box; address, namespace and TLS are filled in. The
// caller closes it.
func (b *Box) Client(ctx context.Context, options client.Options) (client.Client, error) {
	options.HostPort = b.address
	options.Namespace = b.config.Namespace
	options.ConnectionOptions.TLS = b.credentials.client()
	if options.Logger == nil {
		options.Logger = NewSDKLogger(b.config.Logger)
	}
	connection, err := client.DialContext(ctx, options)
	if err != nil {
		return nil, fleet.Errorf(fleet.ErrUnavailable, "reach the embedded Temporal server: %w", err)
	}
	return connection, nil
}

// Stop stops the server and frees its folder.
func (b *Box) Stop() error {
	b.stopping.Store(true)
	var faults []error
	if b.server != nil {
		faults = append(faults, b.server.Stop())
	}
	return errors.Join(append(faults, b.lock.Unlock())...)
}
