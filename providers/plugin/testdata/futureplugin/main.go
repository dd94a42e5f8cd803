// Command futureplugin speaks only a version of the protocol that is not there
// yet.
package main

import (
	"context"

	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
)

type future struct {
	goplugin.NetRPCUnsupportedPlugin
}

func (future) GRPCServer(*goplugin.GRPCBroker, *grpc.Server) error { return nil }

func (future) GRPCClient(context.Context, *goplugin.GRPCBroker, *grpc.ClientConn) (any, error) {
	return nil, nil
}

func main() {
	goplugin.Serve(&goplugin.ServeConfig{
		HandshakeConfig: goplugin.HandshakeConfig{
			MagicCookieKey: "MERIDIAN_PROVIDER_PLUGIN", MagicCookieValue: "3b7f6d0c-provider",
		},
		VersionedPlugins: map[int]goplugin.PluginSet{99: {"provider": future{}}},
		GRPCServer:       goplugin.DefaultGRPCServer,
	})
}
