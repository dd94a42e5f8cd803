package server

import (
	"context"

	"connectrpc.com/connect"

	fleetv1 "github.com/meridian-fleet/meridian/api/fleet/v1"
	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/workflows"
)

// CheckDrift compares clusters with their baselines and waits for it. It never
// joins a check that runs already: that one may have passed a cluster before
// what the caller wants to see happened there.
func (s *Server) CheckDrift(ctx context.Context, request *connect.Request[fleetv1.CheckDriftRequest]) (*connect.Response[fleetv1.CheckDriftResponse], error) {
	clusters := request.Msg.GetClusters()
	if err := s.expect(ctx, fleet.KindCluster, clusters...); err != nil {
		return nil, err
	}
	id := workflows.DriftID + "/" + newID()
	if err := s.Workflows.Execute(ctx, id, workflows.DriftWorkflow, workflows.DriftInput{Clusters: clusters}, nil); err != nil {
		return nil, err
	}
	return connect.NewResponse(&fleetv1.CheckDriftResponse{}), nil
}

// HealDrift takes drifted clusters back to their baselines and waits for it.
func (s *Server) HealDrift(ctx context.Context, request *connect.Request[fleetv1.HealDriftRequest]) (*connect.Response[fleetv1.HealDriftResponse], error) {
	clusters := request.Msg.GetClusters()
	if err := s.expect(ctx, fleet.KindCluster, clusters...); err != nil {
		return nil, err
	}
	heal := "heal-" + newID()
	input := workflows.HealInput{Heal: heal, Clusters: clusters, Actor: actor(ctx)}
	var result workflows.HealResult
	if err := s.Workflows.Execute(ctx, workflows.HealID(heal), workflows.HealWorkflow, input, &result); err != nil {
		return nil, err
	}
	return connect.NewResponse(&fleetv1.HealDriftResponse{Healed: result.Healed, Failed: result.Failed}), nil
}
