package server

import (
	"context"
	"time"

	"connectrpc.com/connect"

	fleetv1 "github.com/meridian-fleet/meridian/api/fleet/v1"
	"github.com/meridian-fleet/meridian/internal/fleet"
)

// Watch sends changes until the caller or the server ends it. The first
// message is empty and says that the watch stands; so are the keep-alives.
func (s *Server) Watch(ctx context.Context, request *connect.Request[fleetv1.WatchRequest], stream *connect.ServerStream[fleetv1.WatchResponse]) error {
	kinds := make([]fleet.Kind, 0, len(request.Msg.GetKinds()))
	for _, name := range request.Msg.GetKinds() {
		kind, err := knownKind(name)
		if err != nil {
			return err
		}
		kinds = append(kinds, kind)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	changes, err := s.Store.Watch(ctx, kinds, request.Msg.GetAfterRevision())
	if err != nil {
		return err
	}
	if err := stream.Send(&fleetv1.WatchResponse{}); err != nil {
		return err
	}
	return s.forward(ctx, changes, stream)
}

func (s *Server) forward(ctx context.Context, changes <-chan fleet.Change, stream *connect.ServerStream[fleetv1.WatchResponse]) error {
	idle := time.NewTicker(s.KeepAlive)
	defer idle.Stop()
	for {
		response := &fleetv1.WatchResponse{}
		select {
		case change, open := <-changes:
			if !open {
				return ended(ctx)
			}
			var err error
			if response.Change, err = changeMessage(change); err != nil {
				return err
			}
			idle.Reset(s.KeepAlive)
		case <-idle.C:
		case <-s.stopping.Done():
			return fleet.Errorf(fleet.ErrUnavailable, "fleetd is shutting down")
		}
		if err := stream.Send(response); err != nil {
			return err
		}
	}
}

func ended(ctx context.Context) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return fleet.Errorf(fleet.ErrUnavailable, "the watch ended").Advise("watch again from the last revision seen")
}
