package plugin

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"runtime/debug"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	"github.com/meridian-fleet/meridian/providers"
	providerv1 "github.com/meridian-fleet/meridian/providers/proto/v1"
)

// Serve answers a host's calls with a provider until the host ends the plugin
// or dies. A provider's main calls it and does nothing after. Log lines go to
// stderr (slog's default does that), from where the host takes them over.
func Serve(provider providers.Provider) {
	line := openLifeline()
	goplugin.Serve(&goplugin.ServeConfig{
		HandshakeConfig:  handshake,
		VersionedPlugins: pluginSets(provider),
		GRPCServer: func(options []grpc.ServerOption) *grpc.Server {
			server := grpc.NewServer(append(options,
				grpc.ChainUnaryInterceptor(recoverPanics), grpc.KeepaliveEnforcementPolicy(pluginKeepalive))...)
			go line.stopWithHost(server)
			return server
		},
		Logger: hclog.New(&hclog.LoggerOptions{Level: hclog.Warn, Output: os.Stderr, JSONFormat: true}),
	})
	removeSocketDirectory()
}

// service is the gRPC face of a provider.
type service struct {
	providerv1.UnimplementedProviderServer
	provider providers.Provider
}

func (s *service) Describe(ctx context.Context, _ *providerv1.DescribeRequest) (*providerv1.DescribeResponse, error) {
	description, err := s.provider.Describe(ctx)
	if err != nil {
		return nil, toStatus(err)
	}
	return descriptionToWire(description), nil
}

func (s *service) ClusterObjects(ctx context.Context, request *providerv1.ClusterObjectsRequest) (*providerv1.ClusterObjectsResponse, error) {
	objects, err := s.provider.ClusterObjects(ctx, requestFromWire(request))
	if err != nil {
		return nil, toStatus(err)
	}
	return objectsToWire(objects), nil
}

// recoverPanics turns a panic of one call into an error of that call, so that
// the calls beside it go on.
func recoverPanics(ctx context.Context, request any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (response any, err error) {
	defer func() {
		if value := recover(); value != nil {
			slog.ErrorContext(ctx, "the provider panicked", "call", info.FullMethod, "panic", fmt.Sprint(value), "stack", string(debug.Stack()))
			response, err = nil, toStatus(providers.Errorf(providers.KindInternal, "the provider panicked: %v", value))
		}
	}()
	return handler(ctx, request)
}
