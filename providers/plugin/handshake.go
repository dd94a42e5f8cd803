package plugin

import (
	"context"
	"time"

	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"

	"github.com/meridian-fleet/meridian/providers"
	providerv1 "github.com/meridian-fleet/meridian/providers/proto/v1"
)

// ProtocolVersion of the wire schema this package speaks. A new version is a
// new entry in the plugin sets below, beside the old one.
const ProtocolVersion = 1

// BinaryPrefix starts the file name of every plugin; the provider's name
// follows it.
const BinaryPrefix = "fleet-provider-"

const serviceName = "provider"

// The cookie tells a plugin that a host started it, so that a person who
// starts one by hand gets an explanation. It is no secret.
var handshake = goplugin.HandshakeConfig{
	MagicCookieKey:   "MERIDIAN_PROVIDER_PLUGIN",
	MagicCookieValue: "3b7f6d0c-provider",
}

// adapter joins the gRPC service to go-plugin, on both sides.
type adapter struct {
	goplugin.NetRPCUnsupportedPlugin
	provider providers.Provider // on the plugin's side only
}

func (a *adapter) GRPCServer(_ *goplugin.GRPCBroker, server *grpc.Server) error {
	providerv1.RegisterProviderServer(server, &service{provider: a.provider})
	return nil
}

func (a *adapter) GRPCClient(_ context.Context, _ *goplugin.GRPCBroker, conn *grpc.ClientConn) (any, error) {
	return &remote{client: providerv1.NewProviderClient(conn)}, nil
}

func pluginSets(provider providers.Provider) map[int]goplugin.PluginSet {
	return map[int]goplugin.PluginSet{
		ProtocolVersion: {serviceName: &adapter{provider: provider}},
	}
}

// A host pings the connection of a call that takes long, so that a plugin that
// hangs is found even by a call without a deadline. The plugin must expect it,
// or gRPC takes the pings for abuse.
var (
	hostKeepalive   = keepalive.ClientParameters{Time: 10 * time.Second, Timeout: 5 * time.Second}
	pluginKeepalive = keepalive.EnforcementPolicy{MinTime: 5 * time.Second}
)
