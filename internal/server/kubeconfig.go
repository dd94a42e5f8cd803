package server

import (
	"context"

	"connectrpc.com/connect"

	fleetv1 "github.com/meridian-fleet/meridian/api/fleet/v1"
	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/inventory"
)

// GetKubeconfig gives access to a cluster, and leaves a line in the log about
// who got it.
func (s *Server) GetKubeconfig(ctx context.Context, request *connect.Request[fleetv1.GetKubeconfigRequest]) (*connect.Response[fleetv1.GetKubeconfigResponse], error) {
	ref, err := knownRef(string(fleet.KindCluster), request.Msg.GetCluster())
	if err != nil {
		return nil, err
	}
	if _, err := s.Store.Get(ctx, ref, inventory.AsOf{}); err != nil {
		return nil, err
	}
	kubeconfig, err := s.Kubeconfigs.Kubeconfig(ctx, ref.Name)
	if err != nil {
		return nil, err
	}
	s.Logger.InfoContext(ctx, "kubeconfig handed out", "cluster", ref.Name, "user", actor(ctx))
	return connect.NewResponse(&fleetv1.GetKubeconfigResponse{Kubeconfig: kubeconfig}), nil
}
