package server

import (
	"context"
	"slices"
	"strings"

	"connectrpc.com/connect"

	fleetv1 "github.com/meridian-fleet/meridian/api/fleet/v1"
	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/inventory"
)

// Delete forgets a declared resource that nothing needs. What still runs in a
// cloud is refused: forgetting it would leave it there unseen.
func (s *Server) Delete(ctx context.Context, request *connect.Request[fleetv1.DeleteRequest]) (*connect.Response[fleetv1.DeleteResponse], error) {
	ref, err := knownRef(request.Msg.GetKind(), request.Msg.GetName())
	if err != nil {
		return nil, err
	}
	if !slices.Contains(fleet.DeclaredKinds, ref.Kind) {
		return nil, fleet.Errorf(fleet.ErrInvalid, "Meridian records this kind itself; it cannot be deleted").On(ref.String())
	}
	s.writes.Lock()
	defer s.writes.Unlock()
	resource, err := s.Store.Get(ctx, ref, inventory.AsOf{})
	if err != nil {
		return nil, err
	}
	if err := refuseLiving(resource); err != nil {
		return nil, err
	}
	users, err := inventory.Referring(ctx, s.Store, ref)
	if err != nil {
		return nil, err
	}
	if len(users) > 0 {
		names := make([]string, 0, len(users))
		for _, user := range users {
			names = append(names, user.String())
		}
		return nil, fleet.Errorf(fleet.ErrConflict, "in use by %s", enumerate(names)).On(ref.String())
	}
	if err := s.Store.Delete(ctx, actor(ctx), ref); err != nil {
		return nil, err
	}
	return connect.NewResponse(&fleetv1.DeleteResponse{}), nil
}

// refuseLiving refuses a region or cluster that is, or may be, in a cloud.
func refuseLiving(resource fleet.Resource) error {
	phase := phaseOf(resource)
	alive := false
	switch resource.Kind {
	case fleet.KindRegion:
		alive = phase == string(fleet.RegionOnboarding) || phase == string(fleet.RegionReady)
	case fleet.KindCluster:
		alive = phase == string(fleet.ClusterProvisioning) || phase == string(fleet.ClusterReady) || phase == string(fleet.ClusterDeleting)
	}
	if alive {
		return fleet.Errorf(fleet.ErrConflict, "it is %s", phase).On(resource.Ref().String())
	}
	return nil
}

// enumerate lists names in a sentence, not more than a person reads.
func enumerate(names []string) string {
	const shown = 8
	slices.Sort(names)
	if rest := len(names) - shown; rest > 0 {
		return strings.Join(names[:shown], ", ") + " and " + plural(rest, "other")
	}
	return strings.Join(names, ", ")
}
