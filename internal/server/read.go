package server

import (
	"context"
	"slices"

	"connectrpc.com/connect"

	fleetv1 "github.com/meridian-fleet/meridian/api/fleet/v1"
	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/inventory"
)

// GetVersion tells the daemon's version.
func (s *Server) GetVersion(context.Context, *connect.Request[fleetv1.GetVersionRequest]) (*connect.Response[fleetv1.GetVersionResponse], error) {
	return connect.NewResponse(&fleetv1.GetVersionResponse{
		Version: s.Version.Version, Commit: s.Version.Commit, GoVersion: s.Version.GoVersion,
	}), nil
}

// Get returns one resource, now or as it was.
func (s *Server) Get(ctx context.Context, request *connect.Request[fleetv1.GetRequest]) (*connect.Response[fleetv1.GetResponse], error) {
	ref, err := knownRef(request.Msg.GetKind(), request.Msg.GetName())
	if err != nil {
		return nil, err
	}
	at, err := asOf(request.Msg.GetAsOf())
	if err != nil {
		return nil, err
	}
	resource, err := s.Store.Get(ctx, ref, at)
	if err != nil {
		return nil, err
	}
	found, err := document(resource)
	return connect.NewResponse(&fleetv1.GetResponse{Document: found}), err
}

// List returns the resources of a kind. The revision is read first, so that a
// watch from there misses nothing.
func (s *Server) List(ctx context.Context, request *connect.Request[fleetv1.ListRequest]) (*connect.Response[fleetv1.ListResponse], error) {
	kind, err := knownKind(request.Msg.GetKind())
	if err != nil {
		return nil, err
	}
	revision, err := s.Store.Revision(ctx)
	if err != nil {
		return nil, err
	}
	list := s.recorded
	if request.Msg.GetTrueAt() != nil {
		list = s.valid
	}
	resources, err := list(ctx, kind, request.Msg)
	if err != nil {
		return nil, err
	}
	found, err := documents(resources)
	return connect.NewResponse(&fleetv1.ListResponse{Documents: found, Revision: revision}), err
}

// recorded lists resources as they are, or were recorded by a time.
func (s *Server) recorded(ctx context.Context, kind fleet.Kind, request *fleetv1.ListRequest) ([]fleet.Resource, error) {
	at, err := asOf(request.GetAsOf())
	if err != nil {
		return nil, err
	}
	return s.Store.List(ctx, kind, inventory.Query{MatchLabels: request.GetMatchLabels(), Owner: request.GetOwner(), AsOf: at})
}

// valid lists documents that were true at a time.
func (s *Server) valid(ctx context.Context, kind fleet.Kind, request *fleetv1.ListRequest) ([]fleet.Resource, error) {
	if request.GetOwner() != "" {
		return nil, fleet.Errorf(fleet.ErrInvalid, "does not go with an owner").At(fleet.Position{}, "true_at")
	}
	moment, err := decodeMoment(&fleetv1.Moment{AsOf: request.GetTrueAt(), KnownAt: request.GetAsOf()})
	if err != nil {
		return nil, err
	}
	resources, err := s.Residency.Documents(ctx, moment, kind)
	return slices.DeleteFunc(resources, func(resource fleet.Resource) bool {
		return !fleet.HasLabels(resource.Metadata.Labels, request.GetMatchLabels())
	}), err
}

// History returns every change of a resource, oldest first.
func (s *Server) History(ctx context.Context, request *connect.Request[fleetv1.HistoryRequest]) (*connect.Response[fleetv1.HistoryResponse], error) {
	ref, err := knownRef(request.Msg.GetKind(), request.Msg.GetName())
	if err != nil {
		return nil, err
	}
	changes, err := s.Store.History(ctx, ref)
	if err != nil {
		return nil, err
	}
	response := &fleetv1.HistoryResponse{}
	for _, change := range changes {
		message, err := changeMessage(change)
		if err != nil {
			return nil, err
		}
		response.Changes = append(response.Changes, message)
	}
	return connect.NewResponse(response), nil
}
