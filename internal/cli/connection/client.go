package connection

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"time"

	"connectrpc.com/connect"

	"github.com/meridian-fleet/meridian/api/fleet/v1/fleetv1connect"
	"github.com/meridian-fleet/meridian/internal/cli/failure"
	"github.com/meridian-fleet/meridian/internal/fleet"
)

const dialTimeout = 5 * time.Second

// shortAnswer bounds calls that read or order something; planning, checking
// and healing take as long as they take.
const shortAnswer = time.Minute

var shortCalls = map[string]bool{
	fleetv1connect.FleetServiceGetVersionProcedure:      true,
	fleetv1connect.FleetServiceGetProcedure:             true,
	fleetv1connect.FleetServiceListProcedure:            true,
	fleetv1connect.FleetServiceDeleteProcedure:          true,
	fleetv1connect.FleetServiceHistoryProcedure:         true,
	fleetv1connect.FleetServiceOnboardRegionsProcedure:  true,
	fleetv1connect.FleetServiceAbortOnboardingProcedure: true,
	fleetv1connect.FleetServiceStartRolloutProcedure:    true,
	fleetv1connect.FleetServiceControlRolloutProcedure:  true,
	fleetv1connect.FleetServiceGetKubeconfigProcedure:   true,

	fleetv1connect.ResidencyServiceListLocatedProcedure:      true,
	fleetv1connect.ResidencyServiceListCatalogProcedure:      true,
	fleetv1connect.ResidencyServiceRequestExceptionProcedure: true,
	fleetv1connect.ResidencyServiceApproveExceptionProcedure: true,
	fleetv1connect.ResidencyServiceRevokeExceptionProcedure:  true,
	fleetv1connect.ResidencyServiceWhoAmIProcedure:           true,
}

// NewClient makes a client of the daemon that config names. Its errors are
// fleet errors.
func NewClient(config Config) (fleetv1connect.FleetServiceClient, error) {
	transport, err := newTransport(config)
	if err != nil {
		return nil, err
	}
	return fleetv1connect.NewFleetServiceClient(&http.Client{Transport: transport}, config.Address, translated(config)), nil
}

// NewResidencyClient makes a client for questions about residency.
func NewResidencyClient(config Config) (fleetv1connect.ResidencyServiceClient, error) {
	transport, err := newTransport(config)
	if err != nil {
		return nil, err
	}
	return fleetv1connect.NewResidencyServiceClient(&http.Client{Transport: transport}, config.Address, translated(config)), nil
}

func translated(config Config) connect.ClientOption {
	return connect.WithInterceptors(&interceptor{address: config.Address, token: config.Token})
}

func newTransport(config Config) (*http.Transport, error) {
	tlsConfig := &tls.Config{MinVersion: tls.VersionTLS12}
	if config.CA != "" {
		tlsConfig.RootCAs = x509.NewCertPool()
		if !tlsConfig.RootCAs.AppendCertsFromPEM([]byte(config.CA)) {
			return nil, fleet.Errorf(fleet.ErrInvalid, "no certificate in it, want PEM").At(fleet.Position{}, "ca")
		}
	}
	return &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         (&net.Dialer{Timeout: dialTimeout, KeepAlive: 10 * time.Second}).DialContext,
		TLSClientConfig:     tlsConfig,
		TLSHandshakeTimeout: dialTimeout,
		ForceAttemptHTTP2:   true,
	}, nil
}

// interceptor authenticates requests and translates errors.
type interceptor struct{ address, token string }

func (i *interceptor) authenticate(header http.Header) {
	if i.token != "" {
		header.Set("Authorization", "Bearer "+i.token)
	}
}

// WrapUnary implements connect.Interceptor.
func (i *interceptor) WrapUnary(next connect.UnaryFunc) connect.UnaryFunc {
	return func(ctx context.Context, request connect.AnyRequest) (connect.AnyResponse, error) {
		if shortCalls[request.Spec().Procedure] {
			bounded, cancel := context.WithTimeout(ctx, shortAnswer)
			defer cancel()
			ctx = bounded
		}
		i.authenticate(request.Header())
		response, err := next(ctx, request)
		return response, failure.FromRemote(ctx, err, i.address)
	}
}

// WrapStreamingClient implements connect.Interceptor.
func (i *interceptor) WrapStreamingClient(next connect.StreamingClientFunc) connect.StreamingClientFunc {
	return func(ctx context.Context, spec connect.Spec) connect.StreamingClientConn {
		conn := next(ctx, spec)
		i.authenticate(conn.RequestHeader())
		return &translatedConn{StreamingClientConn: conn, ctx: ctx, address: i.address}
	}
}

// WrapStreamingHandler implements connect.Interceptor; a client has none.
func (i *interceptor) WrapStreamingHandler(next connect.StreamingHandlerFunc) connect.StreamingHandlerFunc {
	return next
}

type translatedConn struct {
	connect.StreamingClientConn
	ctx     context.Context
	address string
}

// Send translates what fails before the daemon is reached.
func (c *translatedConn) Send(message any) error {
	return c.translate(c.StreamingClientConn.Send(message))
}

// Receive gives io.EOF at the end of a stream, as connect wants it.
func (c *translatedConn) Receive(message any) error {
	return c.translate(c.StreamingClientConn.Receive(message))
}

func (c *translatedConn) translate(err error) error {
	if errors.Is(err, io.EOF) {
		return io.EOF
	}
	return failure.FromRemote(c.ctx, err, c.address)
}
