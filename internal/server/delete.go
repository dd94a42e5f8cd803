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
	users, err := s.usersOf(ctx, ref)
	if err != nil {
		return nil, err
	}
	if len(users) > 0 {
		return nil, fleet.Errorf(fleet.ErrConflict, "in use by %s", enumerate(users)).On(ref.String())
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

// usersOf names the resources that refer to one.
func (s *Server) usersOf(ctx context.Context, ref fleet.Ref) ([]string, error) {
	var users []string
	for _, kind := range []fleet.Kind{fleet.KindRegion, fleet.KindCluster, fleet.KindRollout} {
		resources, err := s.Store.List(ctx, kind, inventory.Query{})
		if err != nil {
			return nil, err
		}
		for _, resource := range resources {
			named, err := references(resource)
			if err != nil {
				return nil, err
			}
			if slices.Contains(named, ref) {
				users = append(users, resource.Ref().String())
			}
		}
	}
	return users, nil
}

// references lists what a resource needs to stay.
func references(resource fleet.Resource) ([]fleet.Ref, error) {
	switch resource.Kind {
	case fleet.KindRegion:
		spec, err := fleet.SpecOf[fleet.RegionSpec](resource)
		return []fleet.Ref{{Kind: fleet.KindClusterProfile, Name: spec.Profile}, {Kind: fleet.KindBaseline, Name: spec.Baseline}}, err
	case fleet.KindCluster:
		return clusterReferences(resource)
	case fleet.KindRollout:
		return rolloutReferences(resource)
	}
	return nil, nil
}

func clusterReferences(resource fleet.Resource) ([]fleet.Ref, error) {
	spec, err := fleet.SpecOf[fleet.ClusterSpec](resource)
	if err != nil {
		return nil, err
	}
	status, err := fleet.StatusOf[fleet.ClusterStatus](resource)
	refs := []fleet.Ref{{Kind: fleet.KindClusterProfile, Name: spec.Profile}, {Kind: fleet.KindRegion, Name: spec.Region}}
	if status.Baseline != nil {
		refs = append(refs, fleet.Ref{Kind: fleet.KindBaseline, Name: status.Baseline.Target},
			fleet.Ref{Kind: fleet.KindBaseline, Name: status.Baseline.Applied})
	}
	return refs, err
}

// rolloutReferences: a rollout that has ended is history and holds nothing.
func rolloutReferences(resource fleet.Resource) ([]fleet.Ref, error) {
	if fleet.Phase(phaseOf(resource)).Done() {
		return nil, nil
	}
	spec, err := fleet.SpecOf[fleet.RolloutSpec](resource)
	return []fleet.Ref{{Kind: fleet.KindBaseline, Name: spec.Baseline}, {Kind: fleet.KindRolloutStrategy, Name: spec.Strategy}}, err
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
