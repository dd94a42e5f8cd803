package daemon

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"os"
	"path/filepath"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/temporalbox"
	"github.com/meridian-fleet/meridian/workflows/activities"
	"github.com/meridian-fleet/meridian/workflows/worker"
)

// startTemporal connects to a Temporal server, its own or another.
func (d *Daemon) startTemporal(ctx context.Context) error {
	options := client.Options{MetricsHandler: newSDKMetrics(d.metrics.Registry)}
	var err error
	if d.config.Temporal.Embedded {
		d.temporal, err = d.embedTemporal(ctx, options)
	} else {
		d.temporal, err = d.dialTemporal(ctx, options)
	}
	if err != nil {
		return err
	}
	d.cleanup.add("temporal client", func(context.Context) error { d.temporal.Close(); return nil })
	return nil
}

func (d *Daemon) embedTemporal(ctx context.Context, options client.Options) (client.Client, error) {
	box, err := temporalbox.Start(ctx, temporalbox.Config{
		Dir: filepath.Join(d.config.DataDir, "temporal"), Namespace: d.config.Temporal.Namespace, Logger: d.logger,
	})
	if err != nil {
		return nil, err
	}
	d.cleanup.add("temporal", func(context.Context) error { return box.Stop() })
	return box.Client(ctx, options)
}

func (d *Daemon) dialTemporal(ctx context.Context, options client.Options) (client.Client, error) {
	config := d.config.Temporal
	options.HostPort, options.Namespace = config.Address, config.Namespace
	options.Logger = temporalbox.NewSDKLogger(d.logger)
	if config.TLS != nil {
		settings, err := temporalTLS(*config.TLS)
		if err != nil {
			return nil, err
		}
		options.ConnectionOptions.TLS = settings
	}
	if config.APIKeyFile != "" {
		// Read for every call, so that a key can be replaced while fleetd runs.
		options.Credentials = client.NewAPIKeyDynamicCredentials(func(context.Context) (string, error) {
			return readToken(config.APIKeyFile)
		})
	}
	connection, err := client.DialContext(ctx, options)
	if err != nil {
		return nil, fleet.Errorf(fleet.ErrUnavailable, "Temporal at %s cannot be reached: %w", config.Address, err)
	}
	if err := checkNamespace(ctx, connection, config); err != nil {
		connection.Close()
		return nil, err
	}
	return connection, nil
}

func checkNamespace(ctx context.Context, connection client.Client, config TemporalConfig) error {
	_, err := connection.WorkflowService().DescribeNamespace(ctx, &workflowservice.DescribeNamespaceRequest{Namespace: config.Namespace})
	var missing *serviceerror.NamespaceNotFound
	if errors.As(err, &missing) {
		return fleet.Errorf(fleet.ErrNotFound, "Temporal at %s has no namespace %q", config.Address, config.Namespace).
			Advise("make it, or name another one in temporal.namespace")
	}
	return nil // a key may be allowed to use a namespace but not to describe it
}

func temporalTLS(config TemporalTLS) (*tls.Config, error) {
	settings := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: config.ServerName}
	if config.Certificate != "" {
		pair, err := tls.LoadX509KeyPair(config.Certificate, config.Key)
		if err != nil {
			return nil, fleet.Errorf(fleet.ErrInvalid, "the certificate for Temporal: %w", err)
		}
		settings.Certificates = []tls.Certificate{pair}
	}
	if config.CA != "" {
		content, err := os.ReadFile(config.CA)
		if err != nil {
			return nil, fleet.Errorf(fleet.ErrInvalid, "the authority for Temporal: %w", err)
		}
		settings.RootCAs = x509.NewCertPool()
		settings.RootCAs.AppendCertsFromPEM(content)
	}
	return settings, nil
}

// startWorkers lets workflows go on.
func (d *Daemon) startWorkers(context.Context) error {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := worker.Run(ctx, d.temporal, d.dependencies()); err != nil {
			d.broken <- err
		}
	}()
	d.cleanup.add("workers", func(stopping context.Context) error {
		cancel()
		select {
		case <-ended:
			return nil
		case <-stopping.Done():
			return stopping.Err()
		}
	})
	return nil
}

func (d *Daemon) dependencies() activities.Dependencies {
	return activities.Dependencies{
		Inventory: d.store, Providers: d.plugins, Management: d.clouds, Accounts: d.config.Accounts,
		Baselines:  activities.NewDelivery(d.clouds),
		Residency:  d.office,
		Holder:     activities.ClusterHoldings{Credentials: d.clouds},
		Guardrails: (&guardrails{material: d.office.Material, changes: d.store.Changes}).objects,
		Logger:     d.logger.With("component", "activities"),
	}
}
