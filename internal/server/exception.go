package server

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"connectrpc.com/connect"

	fleetv1 "github.com/meridian-fleet/meridian/api/fleet/v1"
	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/inventory"
)

// RequestException records that the caller asks for an exception.
func (s *Server) RequestException(ctx context.Context, request *connect.Request[fleetv1.RequestExceptionRequest]) (*connect.Response[fleetv1.RequestExceptionResponse], error) {
	name := request.Msg.GetName()
	if name == "" {
		name = "x-" + newID()
	}
	spec, err := decodeStruct[fleet.ExceptionSpec]("spec", request.Msg.GetSpec())
	if err := errors.Join(checkName(name), err); err != nil {
		return nil, err
	}
	requested, err := s.requestException(ctx, name, spec)
	if err != nil {
		return nil, err
	}
	answer, err := document(requested)
	return connect.NewResponse(&fleetv1.RequestExceptionResponse{Exception: answer}), err
}

// requestException checks what an exception is about and records it, in the
// same state of the inventory: nobody can ask for a name that is taken, or
// change the subject in between.
func (s *Server) requestException(ctx context.Context, name string, spec fleet.ExceptionSpec) (fleet.Resource, error) {
	s.writes.Lock()
	defer s.writes.Unlock()
	revision, err := s.Store.Revision(ctx)
	if err != nil {
		return fleet.Resource{}, err
	}
	if err := s.checkException(ctx, spec); err != nil {
		return fleet.Resource{}, err
	}
	wanted, err := fleet.NewResource(fleet.KindException, name, spec, nil)
	if err != nil {
		return fleet.Resource{}, err
	}
	if err := s.checkFree(ctx, wanted.Ref()); err != nil {
		return fleet.Resource{}, err
	}
	// Both writes outlive the caller. An exception without a status, which only
	// a crash between them leaves, cannot be approved.
	ctx = context.WithoutCancel(ctx)
	unless := &inventory.Moved{Kinds: guardedKinds, Unobserved: unobservedKinds, Since: revision}
	if _, err := s.Store.Apply(ctx, actor(ctx), []fleet.Resource{wanted}, inventory.ApplyOptions{Unless: unless}); err != nil {
		return fleet.Resource{}, err
	}
	at := s.stamp()
	return s.updateException(ctx, wanted.Ref(), func(fleet.ExceptionStatus) (fleet.ExceptionStatus, error) {
		return fleet.ExceptionStatus{Phase: fleet.ExceptionRequested, RequestedBy: actor(ctx), RequestedAt: at}, nil
	})
}

func (s *Server) checkFree(ctx context.Context, ref fleet.Ref) error {
	taken, err := s.exists(ctx, ref)
	if err == nil && taken {
		err = fleet.Errorf(fleet.ErrConflict, "there is one of this name").On(ref.String()).
			Advise("an exception is never changed; choose another name")
	}
	return err
}

// ApproveException adds the caller's approval. The second one, of another
// person, completes it.
func (s *Server) ApproveException(ctx context.Context, request *connect.Request[fleetv1.ApproveExceptionRequest]) (*connect.Response[fleetv1.ApproveExceptionResponse], error) {
	if err := checkLine("comment", request.Msg.GetComment()); err != nil {
		return nil, err
	}
	ref, err := s.openException(ctx, request.Msg.GetName())
	if err != nil {
		return nil, err
	}
	at := s.stamp()
	approved, err := s.updateException(ctx, ref, func(status fleet.ExceptionStatus) (fleet.ExceptionStatus, error) {
		return approve(ref, status, fleet.Approval{By: actor(ctx), At: at, Comment: request.Msg.GetComment()})
	})
	if err != nil {
		return nil, err
	}
	answer, err := document(approved)
	return connect.NewResponse(&fleetv1.ApproveExceptionResponse{Exception: answer}), err
}

// approve adds an approval to an exception that waits for it.
func approve(ref fleet.Ref, status fleet.ExceptionStatus, approval fleet.Approval) (fleet.ExceptionStatus, error) {
	if status.Phase != fleet.ExceptionRequested {
		return status, fleet.Errorf(fleet.ErrConflict, "it does not wait for approval; it is %s", orUnfinished(status.Phase)).On(ref.String())
	}
	if samePerson(status.RequestedBy, approval.By) {
		return status, fleet.Errorf(fleet.ErrDenied, "who asked for it cannot approve it").On(ref.String()).
			Advise("it takes %d other people", fleet.NeededApprovals)
	}
	for _, earlier := range status.Approvals {
		if samePerson(earlier.By, approval.By) {
			return status, fleet.Errorf(fleet.ErrConflict, "%s has approved it already", approval.By).On(ref.String()).
				Advise("it takes %d different people", fleet.NeededApprovals)
		}
	}
	status.Approvals = append(status.Approvals, approval)
	if len(status.Approvals) >= fleet.NeededApprovals {
		status.Phase, status.ApprovedAt = fleet.ExceptionApproved, approval.At
	}
	return status, nil
}

func orUnfinished(phase fleet.ExceptionPhase) string {
	if phase == "" {
		return "not recorded in full"
	}
	return string(phase)
}

// samePerson takes names that differ in case alone for one person's, as
// issuers of identities do.
func samePerson(one, other string) bool {
	return strings.EqualFold(strings.TrimSpace(one), strings.TrimSpace(other))
}

// RevokeException ends an exception, approved or not.
func (s *Server) RevokeException(ctx context.Context, request *connect.Request[fleetv1.RevokeExceptionRequest]) (*connect.Response[fleetv1.RevokeExceptionResponse], error) {
	reason := request.Msg.GetReason()
	err := checkLine("reason", reason)
	if strings.TrimSpace(reason) == "" {
		err = fleet.Errorf(fleet.ErrInvalid, "is missing: say why it ends").At(fleet.Position{}, "reason")
	}
	if err != nil {
		return nil, err
	}
	ref, err := s.openException(ctx, request.Msg.GetName())
	if err != nil {
		return nil, err
	}
	at := s.stamp()
	revoked, err := s.updateException(ctx, ref, func(status fleet.ExceptionStatus) (fleet.ExceptionStatus, error) {
		if status.Phase == fleet.ExceptionRevoked {
			return status, fleet.Errorf(fleet.ErrConflict, "it was revoked by %s at %s", status.RevokedBy, status.RevokedAt).On(ref.String())
		}
		status.Phase, status.RevokedBy, status.RevokedAt, status.Message = fleet.ExceptionRevoked, actor(ctx), at, reason
		return status, nil
	})
	if err != nil {
		return nil, err
	}
	answer, err := document(revoked)
	return connect.NewResponse(&fleetv1.RevokeExceptionResponse{Exception: answer}), err
}

// openException finds an exception whose end is not past.
func (s *Server) openException(ctx context.Context, name string) (fleet.Ref, error) {
	ref, err := knownRef(string(fleet.KindException), name)
	if err != nil {
		return ref, err
	}
	resource, err := s.Store.Get(ctx, ref, inventory.AsOf{})
	if err != nil {
		return ref, err
	}
	spec, err := fleet.SpecOf[fleet.ExceptionSpec](resource)
	if err != nil {
		return ref, err
	}
	_, ends, err := s.Rules.Span(spec.Period)
	if err == nil && !s.Now().Before(ends) {
		err = fleet.Errorf(fleet.ErrConflict, "it ended with %s", spec.Until).On(ref.String()).Advise("ask for a new one")
	}
	return ref, err
}

// updateException changes an exception's status in one step and returns the
// exception as it then is.
func (s *Server) updateException(ctx context.Context, ref fleet.Ref, change func(fleet.ExceptionStatus) (fleet.ExceptionStatus, error)) (fleet.Resource, error) {
	err := s.Store.UpdateStatus(ctx, actor(ctx), ref, func(raw json.RawMessage) (any, error) {
		status, err := fleet.StatusOf[fleet.ExceptionStatus](fleet.Resource{Kind: ref.Kind, Metadata: fleet.Metadata{Name: ref.Name}, Status: raw})
		if err != nil {
			return nil, err
		}
		return change(status)
	})
	if err != nil {
		return fleet.Resource{}, err
	}
	return s.Store.Get(ctx, ref, inventory.AsOf{})
}

// stamp is when somebody did something. It is taken before that is recorded, so
// that whoever sees the record asks about a time at which it was done.
func (s *Server) stamp() string {
	return s.Now().UTC().Truncate(time.Microsecond).Format(time.RFC3339Nano) // as fine as the inventory's own times
}
