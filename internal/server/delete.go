package server

import (
	"context"
	"errors"
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
	if roles := writers[ref.Kind]; !identityOf(ctx).hasAny(roles) {
		return nil, fleet.Errorf(fleet.ErrDenied, "%s may not delete a %s", actor(ctx), ref.Kind).On(ref.String()).Advise("%s", takes(roles))
	}
	s.writes.Lock()
	defer s.writes.Unlock()
	if err := s.forget(ctx, ref); err != nil {
		return nil, err
	}
	return connect.NewResponse(&fleetv1.DeleteResponse{}), nil
}

// forget looks at what would be deleted, and at what needs it, and deletes it
// in the same state of the inventory.
func (s *Server) forget(ctx context.Context, ref fleet.Ref) error {
	for attempt := 1; ; attempt++ {
		revision, err := s.Store.Revision(ctx)
		if err != nil {
			return err
		}
		if err := s.mayDelete(ctx, ref); err != nil {
			return err
		}
		err = s.Store.Delete(ctx, actor(ctx), ref, &inventory.Moved{Kinds: needingKinds, Since: revision})
		if errors.Is(err, fleet.ErrConflict) && attempt < writeAttempts {
			continue
		}
		return err
	}
}

// needingKinds are those that may need what is deleted, or must not be deleted
// themselves as they are.
var needingKinds = append(slices.Clone(heldKinds), fleet.KindException, fleet.KindRollout)

func (s *Server) mayDelete(ctx context.Context, ref fleet.Ref) error {
	resource, err := s.Store.Get(ctx, ref, inventory.AsOf{})
	if err != nil {
		return err
	}
	if err := errors.Join(guardDelete(ctx, resource), refuseLiving(resource)); err != nil {
		return err
	}
	return s.refuseUsed(ctx, ref)
}

// refuseUsed refuses what something else needs, and what an exception is for:
// declared again it might be something else than what two people looked at.
func (s *Server) refuseUsed(ctx context.Context, ref fleet.Ref) error {
	users, err := inventory.Referring(ctx, s.Store, ref)
	if err != nil {
		return err
	}
	exceptions, err := s.liveExceptions(ctx)
	if err != nil {
		return err
	}
	for _, exception := range exceptions {
		if exception.spec.Subject == ref {
			users = append(users, fleet.Ref{Kind: fleet.KindException, Name: exception.name})
		}
	}
	if len(users) == 0 {
		return nil
	}
	named := make([]string, 0, len(users))
	for _, user := range users {
		named = append(named, user.String())
	}
	return fleet.Errorf(fleet.ErrConflict, "in use by %s", enumerate(named)).On(ref.String())
}

// guardDelete: with some documents goes what only a compliance officer may
// take away.
func guardDelete(ctx context.Context, resource fleet.Resource) error {
	if identityOf(ctx).hasAny([]Role{Compliance}) {
		return nil
	}
	lost, err := whatIsLost(resource)
	if err != nil || lost == "" {
		return err
	}
	return fleet.Errorf(fleet.ErrDenied, "%s is not for %s to take away", lost, actor(ctx)).On(resource.Ref().String()).
		Advise("%s", takes([]Role{Compliance}))
}

func whatIsLost(resource fleet.Resource) (string, error) {
	switch resource.Kind {
	case fleet.KindRegion:
		spec, err := fleet.SpecOf[fleet.RegionSpec](resource)
		if len(spec.Facts)+len(spec.Data) > 0 {
			return "what is so about a region", err
		}
		return "", err
	case fleet.KindDataset:
		spec, err := fleet.SpecOf[fleet.DatasetSpec](resource)
		if slices.ContainsFunc(spec.Bindings, func(b fleet.Binding) bool { return b.Existing }) {
			return "what was found", err
		}
		return "", err
	}
	return "", nil
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
