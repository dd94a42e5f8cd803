package etcd

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"go.etcd.io/etcd/server/v3/embed"
)

const (
	startTimeout = 2 * time.Minute
	quotaBytes   = 4 << 30

	// A single member never has a follower to catch up, so few raft entries
	// need to stay in memory.
	snapshotEvery  = 5000
	entriesKept    = 500
	largestRequest = 8 << 20
)

// advertised is never dialled: a single member has nobody to tell where it is,
// but must tell, and must name a host and a port.
var advertised = url.URL{Scheme: "http", Host: "127.0.0.1:1"}

// Server is a running etcd server.
type Server struct{ etcd *embed.Etcd }

// Start serves the data in dir on a unix socket, and returns once it does. A
// second server on the same data waits for the first one to end.
func Start(dir, socket string) (*Server, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("etcd data directory: %w", err)
	}
	config, err := configuration(dir, socket)
	if err != nil {
		return nil, err
	}
	started, err := embed.StartEtcd(config)
	if err != nil {
		return nil, fmt.Errorf("start etcd on %s: %w", dir, err)
	}
	select {
	case <-started.Server.ReadyNotify():
		return &Server{started}, nil
	case err := <-started.Err():
		return nil, fmt.Errorf("etcd on %s: %w", dir, err)
	case <-time.After(startTimeout):
		started.Close()
		return nil, fmt.Errorf("etcd on %s is not ready after %s", dir, startTimeout)
	}
}

// Failed delivers the error that ended the server by itself.
func (s *Server) Failed() <-chan error { return s.etcd.Err() }

// Close stops the server.
func (s *Server) Close() { s.etcd.Close() }

// Endpoint is what an etcd client is given to reach a server on a unix socket,
// whose path may be relative.
func Endpoint(socket string) string { return "unix://" + socket }

func configuration(dir, socket string) (*embed.Config, error) {
	client, err := url.Parse(Endpoint(socket))
	if err != nil {
		return nil, fmt.Errorf("etcd socket: %w", err)
	}
	peer, err := url.Parse(Endpoint(filepath.Join(filepath.Dir(socket), "etcd-peer.sock")))
	if err != nil {
		return nil, fmt.Errorf("etcd peer socket: %w", err)
	}
	config := embed.NewConfig()
	config.Name = "kubebox"
	config.Dir = dir
	config.ListenClientUrls, config.AdvertiseClientUrls = []url.URL{*client}, []url.URL{advertised}
	config.ListenPeerUrls, config.AdvertisePeerUrls = []url.URL{*peer}, []url.URL{advertised}
	config.InitialCluster = config.InitialClusterFromName(config.Name)
	config.EnableGRPCGateway = false
	config.UnsafeNoFsync = true
	config.QuotaBackendBytes = quotaBytes
	config.MaxRequestBytes = largestRequest
	config.SnapshotCount = snapshotEvery
	config.SnapshotCatchUpEntries = entriesKept
	config.LogLevel = "error"
	config.LogOutputs = []string{embed.StdErrLogOutput}
	return config, nil
}
