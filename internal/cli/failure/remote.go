package failure

import (
	"context"
	"errors"

	"connectrpc.com/connect"

	fleetv1 "github.com/meridian-fleet/meridian/api/fleet/v1"
	"github.com/meridian-fleet/meridian/internal/fleet"
)

var kindOfConnectCode = map[connect.Code]*fleet.ErrorKind{
	connect.CodeInvalidArgument:    fleet.ErrInvalid,
	connect.CodeOutOfRange:         fleet.ErrInvalid,
	connect.CodeResourceExhausted:  fleet.ErrInvalid,
	connect.CodeNotFound:           fleet.ErrNotFound,
	connect.CodeUnauthenticated:    fleet.ErrDenied,
	connect.CodePermissionDenied:   fleet.ErrDenied,
	connect.CodeFailedPrecondition: fleet.ErrConflict,
	connect.CodeAlreadyExists:      fleet.ErrConflict,
	connect.CodeAborted:            fleet.ErrConflict,
	connect.CodeUnavailable:        fleet.ErrUnavailable,
	connect.CodeDeadlineExceeded:   fleet.ErrUnavailable,
	connect.CodeCanceled:           fleet.ErrUnavailable,
}

// FromRemote turns what a call to the daemon at address failed with into a
// fleet error. The caller's own cancellation stays as it is.
func FromRemote(ctx context.Context, err error, address string) error {
	var answer *connect.Error
	switch {
	case err == nil:
		return nil
	case errors.Is(ctx.Err(), context.Canceled):
		return ctx.Err()
	case ctx.Err() != nil:
		return unanswered(address)
	case !errors.As(err, &answer):
		return fleet.Errorf(fleet.ErrInternal, "%w", err)
	case connect.IsWireError(err):
		return fromAnswer(answer)
	}
	return fromTransport(answer, address)
}

// fromAnswer is for errors the daemon sent.
func fromAnswer(answer *connect.Error) error {
	for _, attached := range answer.Details() {
		value, err := attached.Value()
		if detail, ok := value.(*fleetv1.ErrorDetail); err == nil && ok {
			return fromDetail(detail, answer.Message())
		}
	}
	return withKind(answer.Code(), answer.Message())
}

func fromDetail(detail *fleetv1.ErrorDetail, message string) error {
	kind := fleet.KindNamed(detail.GetKind())
	var faults []error
	for _, fault := range detail.GetFaults() {
		position := fleet.Position{File: fault.GetFile(), Line: int(fault.GetLine()), Column: int(fault.GetColumn())}
		faults = append(faults, &fleet.Error{
			Kind: kind, Object: fault.GetObject(), Position: position,
			Field: fault.GetField(), Message: fault.GetMessage(), Hint: fault.GetHint(),
		})
	}
	switch len(faults) {
	case 0:
		return fleet.Errorf(kind, "%s", message)
	case 1:
		return faults[0]
	}
	return errors.Join(faults...)
}

// fromTransport is for errors on the way to the daemon or back.
func fromTransport(failed *connect.Error, address string) error {
	switch failed.Code() {
	case connect.CodeUnauthenticated, connect.CodePermissionDenied:
		return fleet.Errorf(fleet.ErrDenied, "%s refused the request", address).
			Advise("check the token")
	case connect.CodeUnimplemented, connect.CodeNotFound:
		return fleet.Errorf(fleet.ErrUnavailable, "what answers at %s is not fleetd, or another version of it", address)
	case connect.CodeResourceExhausted:
		return fleet.Errorf(fleet.ErrInvalid, "%s", failed.Message())
	case connect.CodeDeadlineExceeded:
		return unanswered(address)
	}
	return fleet.Errorf(fleet.ErrUnavailable, "cannot reach fleetd at %s: is it running? start it with `fleetd dev`", address)
}

func unanswered(address string) error {
	return fleet.Errorf(fleet.ErrUnavailable, "fleetd at %s does not answer in the time allowed", address)
}

func withKind(code connect.Code, message string) error {
	kind, ok := kindOfConnectCode[code]
	if !ok {
		kind = fleet.ErrInternal
	}
	if message == "" {
		message = "fleetd answered: " + code.String()
	}
	return fleet.Errorf(kind, "%s", message)
}
