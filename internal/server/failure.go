package server

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"

	"connectrpc.com/connect"

	fleetv1 "github.com/meridian-fleet/meridian/api/fleet/v1"
	"github.com/meridian-fleet/meridian/internal/fleet"
)

var codeOfKind = map[*fleet.ErrorKind]connect.Code{
	fleet.ErrInvalid:     connect.CodeInvalidArgument,
	fleet.ErrNotFound:    connect.CodeNotFound,
	fleet.ErrDenied:      connect.CodePermissionDenied,
	fleet.ErrConflict:    connect.CodeFailedPrecondition,
	fleet.ErrUnavailable: connect.CodeUnavailable,
	fleet.ErrWaiting:     connect.CodeDeadlineExceeded,
	fleet.ErrNeedsHuman:  connect.CodeFailedPrecondition,
	fleet.ErrInternal:    connect.CodeInternal,
}

// answerable turns what a handler returned into what the caller gets. A defect
// of ours goes into the log under an id, and only the id to the caller.
func (s *Server) answerable(ctx context.Context, procedure string, err error) error {
	var already *connect.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &already):
		return already
	case ctx.Err() != nil && errors.Is(ctx.Err(), context.Canceled):
		return connect.NewError(connect.CodeCanceled, errors.New("the caller went away"))
	case ctx.Err() != nil && errors.Is(err, context.DeadlineExceeded):
		return connectError(connect.CodeDeadlineExceeded, fleet.Errorf(fleet.ErrWaiting, "the time the caller allowed is over"))
	case fleet.KindOf(err) == fleet.ErrInternal:
		return s.defect(ctx, procedure, err)
	}
	return connectError(codeOfKind[fleet.KindOf(err)], err)
}

func (s *Server) defect(ctx context.Context, procedure string, err error) error {
	id := rand.Text()[:10]
	s.Logger.ErrorContext(ctx, "a call failed on a defect", "id", id, "procedure", procedureLabel(procedure), "error", err)
	return connectError(connect.CodeInternal,
		fleet.Errorf(fleet.ErrInternal, "an internal error, number %s", id).Advise("fleetd's log tells more under this number"))
}

func (s *Server) recovered(ctx context.Context, spec connect.Spec, _ http.Header, panicked any) error {
	return s.defect(ctx, spec.Procedure, fmt.Errorf("panic: %v", panicked))
}

// connectError carries an error's kind and its faults in an ErrorDetail.
func connectError(code connect.Code, err error) *connect.Error {
	failed := connect.NewError(code, err)
	detail, encodeErr := connect.NewErrorDetail(&fleetv1.ErrorDetail{
		Kind:   fleet.KindOf(err).Error(),
		Faults: faults(err),
	})
	if encodeErr == nil {
		failed.AddDetail(detail)
	}
	return failed
}

// flatten lists the single errors that a joined one is made of.
func flatten(err error) []error {
	var joined interface{ Unwrap() []error }
	if _, single := err.(*fleet.Error); single || !errors.As(err, &joined) { //nolint:errorlint // the tree is walked node by node
		return []error{err}
	}
	var all []error
	for _, one := range joined.Unwrap() {
		all = append(all, flatten(one)...)
	}
	return all
}

func faults(err error) []*fleetv1.Fault {
	var all []*fleetv1.Fault
	for _, one := range flatten(err) {
		var known *fleet.Error
		if errors.As(one, &known) {
			all = append(all, fault(known))
		} else {
			all = append(all, &fleetv1.Fault{Message: one.Error()})
		}
	}
	return all
}

func fault(err *fleet.Error) *fleetv1.Fault {
	return &fleetv1.Fault{
		Message: err.Message,
		Object:  err.Object,
		File:    err.Position.File,
		Line:    int32(err.Position.Line),
		Column:  int32(err.Position.Column),
		Field:   err.Field,
		Hint:    err.Hint,
	}
}
