package daemon

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"syscall"
	"time"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

func listen(address string) (net.Listener, error) {
	listener, err := net.Listen("tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fleet.Errorf(fleet.ErrConflict, "the port of %s is in use by another program", address).
			Advise("stop that, or listen elsewhere")
	}
	if err != nil {
		return nil, fleet.Errorf(fleet.ErrInvalid, "cannot listen on %s: %w", address, err)
	}
	return listener, nil
}

// url is where clients find the API.
func (d *Daemon) url() string {
	if d.config.API.TLS != nil {
		return "https://" + d.listener.Addr().String()
	}
	return "http://" + d.listener.Addr().String()
}

// serveHTTP serves HTTP/1.1 and HTTP/2, the latter also without TLS, as gRPC
// and streams want it.
func (d *Daemon) serveHTTP() error {
	listener := d.listener
	if settings := d.config.API.TLS; settings != nil {
		pair, err := tls.LoadX509KeyPair(settings.Certificate, settings.Key)
		if err != nil {
			return fleet.Errorf(fleet.ErrInvalid, "the API's certificate: %w", err)
		}
		listener = tls.NewListener(listener, &tls.Config{
			Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"},
		})
	}
	api := &http.Server{
		Handler: d.server.Handler(), Protocols: new(http.Protocols), ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout: 2 * time.Minute, ErrorLog: slog.NewLogLogger(d.logger.Handler(), slog.LevelDebug),
	}
	api.Protocols.SetHTTP1(true)
	api.Protocols.SetHTTP2(true)
	api.Protocols.SetUnencryptedHTTP2(d.config.API.TLS == nil)
	go func() {
		if err := api.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			d.broken <- fleet.Errorf(fleet.ErrUnavailable, "the API ended: %w", err)
		}
	}()
	d.cleanup.add("api", func(ctx context.Context) error { return d.stopHTTP(ctx, api) })
	return nil
}

// stopHTTP lets calls under way end for a moment, then cuts them off.
func (d *Daemon) stopHTTP(ctx context.Context, api *http.Server) error {
	d.server.EndWatches()
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	if err := api.Shutdown(ctx); err != nil {
		return api.Close()
	}
	return nil
}
