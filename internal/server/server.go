package server

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"connectrpc.com/connect"

	"github.com/meridian-fleet/meridian/api/fleet/v1/fleetv1connect"
	"github.com/meridian-fleet/meridian/internal/inventory"
)

// Limits of what a caller may send.
const (
	maxMessage  = 64 << 20
	maxDocument = 4 << 20
	maxLine     = 4 << 10 // a title, a reason, a comment
)

// Config is what a server works with. Every field without a comment that says
// otherwise is needed.
type Config struct {
	Store         inventory.Store
	Workflows     Workflows
	Authenticator Authenticator
	Kubeconfigs   Kubeconfigs
	DecodeBundle  BundleDecoder
	RegionKnown   RegionKnown
	Residency     Residency
	Rules         ResidencyRules
	Evidence      Evidence
	Metrics       *Metrics
	Checks        []Check          // of /readyz
	Version       Version          // told to whoever asks
	Logger        *slog.Logger     // slog.Default when nil
	KeepAlive     time.Duration    // between messages of an idle watch; 15 s when zero
	Now           func() time.Time // time.Now when nil
}

// Workflows starts and steers workflows. Errors are fleet errors.
type Workflows interface {
	// Start starts a workflow. While one with the id runs it does nothing.
	Start(ctx context.Context, id, workflow string, input any) error
	// Execute is Start, then waits for the end and decodes the result into
	// what result points to, unless that is nil.
	Execute(ctx context.Context, id, workflow string, input, result any) error
	// Signal answers ErrNotFound when no workflow with the id runs.
	Signal(ctx context.Context, id, signal string, payload any) error
}

// Kubeconfigs gives access to clusters.
type Kubeconfigs interface {
	// Kubeconfig of a cluster; ErrNotFound when it has none (yet).
	Kubeconfig(ctx context.Context, cluster string) ([]byte, error)
}

// BundleDecoder makes a bundle of a folder's files; path is for messages. All
// faults are reported together.
type BundleDecoder func(path string, files map[string][]byte) (inventory.Bundle, error)

// RegionKnown reports whether a provider's catalog has a region; an error means
// that the catalog could not be asked.
type RegionKnown func(ctx context.Context, name string) (bool, error)

// Version of the daemon.
type Version struct{ Version, Commit, GoVersion string }

// Server implements the API.
type Server struct {
	Config
	// writes keeps an Apply and a Delete apart: each looks at references
	// before it writes.
	writes   sync.Mutex
	stopping context.Context
	stop     context.CancelFunc
}

var (
	_ fleetv1connect.FleetServiceHandler     = (*Server)(nil)
	_ fleetv1connect.ResidencyServiceHandler = (*Server)(nil)
)

// New makes a server.
func New(config Config) *Server {
	if config.Logger == nil {
		config.Logger = slog.Default()
	}
	if config.KeepAlive == 0 {
		config.KeepAlive = 15 * time.Second
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	server := &Server{Config: config}
	server.stopping, server.stop = context.WithCancel(context.Background())
	return server
}

// EndWatches ends every watch, as a listener that shuts down waits for them.
func (s *Server) EndWatches() { s.stop() }

// Handler serves the API, /healthz, /readyz and /metrics.
func (s *Server) Handler() http.Handler {
	options := connect.WithHandlerOptions(
		connect.WithReadMaxBytes(maxMessage),
		connect.WithInterceptors(s.observer()),
		connect.WithRecover(s.recovered),
	)
	mux := http.NewServeMux()
	path, api := fleetv1connect.NewFleetServiceHandler(s, options)
	mux.Handle(path, s.admit(api))
	path, api = fleetv1connect.NewResidencyServiceHandler(s, options)
	mux.Handle(path, s.admit(api))
	mux.HandleFunc("GET /healthz", s.healthz)
	mux.HandleFunc("GET /readyz", s.readyz)
	mux.Handle("GET /metrics", s.Metrics.Handler())
	return mux
}
