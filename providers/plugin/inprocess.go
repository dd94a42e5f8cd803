package plugin

import (
	"context"
	"net"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/meridian-fleet/meridian/providers"
	providerv1 "github.com/meridian-fleet/meridian/providers/proto/v1"
)

// InProcess serves a provider over gRPC on a loopback connection within this
// process and returns the client's side, for tests that are to see what a host
// sees. Stop ends both sides.
func InProcess(provider providers.Provider) (client providers.Provider, stop func(), err error) {
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, err
	}
	server := grpc.NewServer(grpc.ChainUnaryInterceptor(recoverPanics))
	providerv1.RegisterProviderServer(server, &service{provider: provider})
	go func() { _ = server.Serve(listener) }()
	conn, err := grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		server.Stop()
		return nil, nil, err
	}
	return &remote{client: providerv1.NewProviderClient(conn)}, func() {
		_ = conn.Close()
		server.Stop()
	}, nil
}
