package plugin

import (
	"context"
	"errors"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/meridian-fleet/meridian/providers"
	providerv1 "github.com/meridian-fleet/meridian/providers/proto/v1"
)

// ErrLost means the plugin process went away or does not answer; a plugin
// dialled anew may do. Errors that wrap it have KindUnavailable.
var ErrLost = errors.New("the connection to the plugin is lost")

var codeOfKind = map[providers.Kind]codes.Code{
	providers.KindInvalid:     codes.InvalidArgument,
	providers.KindNotFound:    codes.NotFound,
	providers.KindDenied:      codes.PermissionDenied,
	providers.KindConflict:    codes.FailedPrecondition,
	providers.KindUnavailable: codes.Unavailable,
	providers.KindUnsupported: codes.Unimplemented,
	providers.KindInternal:    codes.Internal,
}

// toStatus puts an error's kind and faults into a gRPC status.
func toStatus(err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return status.FromContextError(err).Err()
	}
	kind := providers.KindOf(err)
	code, known := codeOfKind[kind]
	if !known {
		code = codes.Unknown
	}
	detail := &providerv1.ErrorDetail{Kind: string(kind), Message: err.Error()}
	var withFaults *providers.Error
	if errors.As(err, &withFaults) && len(withFaults.Faults) > 0 {
		detail.Message = withFaults.Message
		for _, fault := range withFaults.Faults {
			detail.Faults = append(detail.Faults, &providerv1.Fault{Field: fault.Field, Message: fault.Message})
		}
	}
	withDetail, detailErr := status.New(code, err.Error()).WithDetails(detail)
	if detailErr != nil {
		return status.Error(code, err.Error())
	}
	return withDetail.Err()
}

// fromStatus is the reverse. A status without a detail of ours comes from the
// transport: the plugin is lost, too old for the call, or the caller gave up.
func fromStatus(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	received := status.Convert(err)
	for _, detail := range received.Details() {
		if ours, ok := detail.(*providerv1.ErrorDetail); ok {
			return errorFromDetail(ours)
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	switch received.Code() {
	case codes.DeadlineExceeded:
		return context.DeadlineExceeded
	case codes.Unavailable, codes.Canceled: // the caller did not cancel: the connection was closed under the call
		return &providers.Error{Kind: providers.KindUnavailable, Message: ErrLost.Error() + ": " + received.Message(), Err: ErrLost}
	case codes.Unimplemented:
		return providers.Errorf(providers.KindUnsupported, "the plugin does not know this call: %s", received.Message())
	default:
		return providers.Errorf(providers.KindInternal, "plugin: %s", received.Message())
	}
}

func errorFromDetail(detail *providerv1.ErrorDetail) error {
	err := &providers.Error{Kind: providers.Kind(detail.GetKind()), Message: detail.GetMessage()}
	for _, fault := range detail.GetFaults() {
		err.Faults = append(err.Faults, providers.Fault{Field: fault.GetField(), Message: fault.GetMessage()})
	}
	return err
}
