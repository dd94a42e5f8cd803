package server

import (
	"context"
	"time"

	"connectrpc.com/connect"
)

// observer measures calls and makes their errors answerable.
func (s *Server) observer() connect.Interceptor { return observer{s} }

type observer struct{ *Server }

// WrapUnary implements connect.Interceptor.
func (o observer) WrapUnary(next connect.UnaryFunc) connect.UnaryFunc {
	return func(ctx context.Context, request connect.AnyRequest) (connect.AnyResponse, error) {
		started := time.Now()
		response, err := next(ctx, request)
		return response, o.observe(ctx, request.Spec().Procedure, started, err)
	}
}

// WrapStreamingHandler implements connect.Interceptor.
func (o observer) WrapStreamingHandler(next connect.StreamingHandlerFunc) connect.StreamingHandlerFunc {
	return func(ctx context.Context, stream connect.StreamingHandlerConn) error {
		started := time.Now()
		return o.observe(ctx, stream.Spec().Procedure, started, next(ctx, stream))
	}
}

// WrapStreamingClient implements connect.Interceptor; a server has none.
func (observer) WrapStreamingClient(next connect.StreamingClientFunc) connect.StreamingClientFunc {
	return next
}

func (o observer) observe(ctx context.Context, procedure string, started time.Time, err error) error {
	err = o.answerable(ctx, procedure, err)
	code := "ok"
	if err != nil {
		code = connect.CodeOf(err).String()
	}
	o.Metrics.observe(procedure, code, time.Since(started))
	o.Logger.DebugContext(ctx, "request", "procedure", procedureLabel(procedure), "user", actor(ctx), "code", code, "took", time.Since(started))
	return err
}
