package clusterapi

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/webhook"
)

// webhookServer serves admission webhooks on a loopback port the kernel chose.
// controller-runtime's own server takes a port number and certificate files; this
// one holds its listener from the start, so that the port can be told to the API
// server without a moment in which someone else could take it.
type webhookServer struct {
	listener    net.Listener
	certificate *certificate
	routes      *http.ServeMux
	started     atomic.Bool
}

var _ webhook.Server = (*webhookServer)(nil)

func newWebhookServer() (*webhookServer, error) {
	certificate, err := newCertificate()
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	return &webhookServer{listener: listener, certificate: certificate, routes: http.NewServeMux()}, nil
}

func (s *webhookServer) address() string                            { return "https://" + s.listener.Addr().String() }
func (s *webhookServer) close()                                     { _ = s.listener.Close() }
func (s *webhookServer) NeedLeaderElection() bool                   { return false }
func (s *webhookServer) WebhookMux() *http.ServeMux                 { return s.routes }
func (s *webhookServer) Register(path string, handler http.Handler) { s.routes.Handle(path, handler) }

func (s *webhookServer) StartedChecker() healthz.Checker {
	return func(*http.Request) error {
		if !s.started.Load() {
			return errors.New("webhook server has not started")
		}
		return nil
	}
}

// Start serves until ctx ends.
func (s *webhookServer) Start(ctx context.Context) error {
	server := &http.Server{
		Handler:           s.routes,
		ReadHeaderTimeout: 10 * time.Second,
		TLSConfig:         &tls.Config{Certificates: []tls.Certificate{s.certificate.pair}, MinVersion: tls.VersionTLS13},
	}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	s.started.Store(true)
	if err := server.ServeTLS(s.listener, "", ""); err != nil && ctx.Err() == nil {
		return err
	}
	return nil
}
