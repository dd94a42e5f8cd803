package plugin

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"time"

	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/grpc/health/grpc_health_v1"

	"github.com/meridian-fleet/meridian/providers"
)

// Options say which binary to run and how.
type Options struct {
	Path         string        // of the plugin binary
	SHA256       []byte        // its checksum; another one is refused
	StartTimeout time.Duration // default 30 s
	Logger       *slog.Logger  // takes the plugin's log lines too; default slog.Default()
}

// Client is a running plugin. It implements providers.Provider and is safe for
// concurrent use.
type Client struct {
	*remote
	process  *exec.Cmd
	manager  *goplugin.Client
	health   grpc_health_v1.HealthClient
	releases []func()
}

// Dial starts a plugin and connects to it. The caller must Kill it. It fails
// with KindDenied when the checksum is another, with KindUnavailable when the
// plugin did not start in time, and with KindUnsupported when it is no plugin
// or speaks no version of the protocol that this side knows.
func Dial(options Options) (*Client, error) {
	if len(options.SHA256) != sha256.Size {
		return nil, providers.Errorf(providers.KindInvalid, "want a sha256 checksum of %d bytes, got %d", sha256.Size, len(options.SHA256))
	}
	if options.StartTimeout == 0 {
		options.StartTimeout = 30 * time.Second
	}
	if options.Logger == nil {
		options.Logger = slog.Default()
	}
	command, releases, err := prepare(options.Path)
	if err != nil {
		return nil, providers.Errorf(providers.KindUnavailable, "prepare plugin %s: %w", options.Path, err)
	}
	client := &Client{process: command, releases: releases, manager: goplugin.NewClient(configure(options, command))}
	if err := client.connect(options); err != nil {
		client.Kill()
		return nil, err
	}
	return client, nil
}

func configure(options Options, command *exec.Cmd) *goplugin.ClientConfig {
	return &goplugin.ClientConfig{
		HandshakeConfig:  handshake,
		VersionedPlugins: pluginSets(nil),
		AllowedProtocols: []goplugin.Protocol{goplugin.ProtocolGRPC},
		Cmd:              command,
		AutoMTLS:         true,
		SecureConfig:     &goplugin.SecureConfig{Checksum: options.SHA256, Hash: sha256.New()},
		SkipHostEnv:      true,
		StartTimeout:     options.StartTimeout,
		GRPCDialOptions:  []grpc.DialOption{grpc.WithKeepaliveParams(hostKeepalive)},
		Logger:           newLogger(options.Logger),
	}
}

// prepare makes the command with its lifeline and a folder for its socket, and
// returns what must be undone when the plugin has ended.
func prepare(path string) (*exec.Cmd, []func(), error) {
	directory, err := os.MkdirTemp("", "meridian-plugin-")
	if err != nil {
		return nil, nil, err
	}
	pluginEnd, hostEnd, err := os.Pipe()
	if err != nil {
		return nil, nil, errors.Join(err, os.Remove(directory))
	}
	command := exec.Command(path)
	command.ExtraFiles = []*os.File{pluginEnd}
	command.Env = []string{
		fmt.Sprintf("%s=%d", lifelineVariable, lifelineNumber),
		goplugin.EnvUnixSocketDir + "=" + directory,
	}
	return command, []func(){
		func() { _ = hostEnd.Close() },
		func() { _ = pluginEnd.Close() },
		func() { _ = os.RemoveAll(directory) },
	}, nil
}

func (c *Client) connect(options Options) error {
	started := time.Now()
	if _, err := c.manager.Start(); err != nil {
		return startError(options, err, time.Since(started))
	}
	_ = c.process.ExtraFiles[0].Close() // the plugin has its own copy
	protocol, err := c.manager.Client()
	if err != nil {
		return providers.Errorf(providers.KindUnavailable, "connect to plugin %s: %w", options.Path, err)
	}
	dispensed, err := protocol.Dispense(serviceName)
	if err != nil {
		return providers.Errorf(providers.KindUnsupported, "connect to plugin %s: %w", options.Path, err)
	}
	grpcClient, isGRPC := protocol.(*goplugin.GRPCClient)
	ours, isOurs := dispensed.(*remote)
	if !isGRPC || !isOurs {
		return providers.Errorf(providers.KindUnsupported, "plugin %s does not speak gRPC", options.Path)
	}
	c.remote, c.health = ours, grpc_health_v1.NewHealthClient(grpcClient.Conn)
	return nil
}

// startError gives a failed start its kind. go-plugin has no error values for
// most of them, so that what is left after the known ones counts as a binary
// that will not do.
func startError(options Options, err error, took time.Duration) error {
	kind := providers.KindUnsupported
	switch {
	case errors.Is(err, goplugin.ErrChecksumsDoNotMatch):
		kind = providers.KindDenied
	case errors.Is(err, fs.ErrNotExist):
		kind = providers.KindNotFound
	case took >= options.StartTimeout:
		kind = providers.KindUnavailable
	}
	return providers.Errorf(kind, "start plugin %s: %w", options.Path, err)
}

// PID of the plugin process.
func (c *Client) PID() int {
	if c.process.Process == nil {
		return 0
	}
	return c.process.Process.Pid
}

// ProtocolVersion that was negotiated.
func (c *Client) ProtocolVersion() int { return c.manager.NegotiatedVersion() }

// Exited reports whether the plugin process has ended.
func (c *Client) Exited() bool { return c.manager.Exited() }

// Ping asks the plugin whether it serves, for as long as the context lasts.
func (c *Client) Ping(ctx context.Context) error {
	response, err := c.health.Check(ctx, &grpc_health_v1.HealthCheckRequest{Service: goplugin.GRPCServiceName})
	if err != nil {
		return &providers.Error{Kind: providers.KindUnavailable, Message: ErrLost.Error() + ": " + err.Error(), Err: ErrLost}
	}
	if response.GetStatus() != grpc_health_v1.HealthCheckResponse_SERVING {
		return providers.Errorf(providers.KindUnavailable, "the plugin is %s", response.GetStatus())
	}
	return nil
}

// killGrace is how long a plugin may take to end by itself when asked to.
const killGrace = 2 * time.Second

// Kill ends the plugin, politely at first, and frees what it held. It returns
// when the process is gone, and may be called more than once.
func (c *Client) Kill() {
	force := time.AfterFunc(killGrace, c.terminate)
	c.manager.Kill()
	force.Stop()
	for _, release := range c.releases {
		release()
	}
}

func (c *Client) terminate() {
	if c.process.Process != nil {
		_ = c.process.Process.Kill()
	}
}
