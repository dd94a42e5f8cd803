package capi

import (
	"context"
	"errors"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// wrap gives an API error its kind; nil stays nil. A cancelled context stays
// recognisable as such.
func wrap(err error, verb, object string) error {
	if err == nil {
		return nil
	}
	var known *fleet.Error
	if errors.As(err, &known) {
		return err
	}
	return fleet.Errorf(kindOf(err), "%s: %w", verb, err).On(object)
}

func kindOf(err error) *fleet.ErrorKind {
	var status apierrors.APIStatus
	switch {
	case meta.IsNoMatchError(err):
		return fleet.ErrInvalid
	case apierrors.IsNotFound(err):
		return fleet.ErrNotFound
	case apierrors.IsInvalid(err), apierrors.IsBadRequest(err), apierrors.IsRequestEntityTooLargeError(err):
		return fleet.ErrInvalid
	case apierrors.IsForbidden(err), apierrors.IsUnauthorized(err):
		return fleet.ErrDenied
	case apierrors.IsConflict(err), apierrors.IsAlreadyExists(err):
		return fleet.ErrConflict
	case errors.Is(err, context.Canceled):
		return fleet.ErrUnavailable
	case errors.As(err, &status) && status.Status().Code >= 400 && status.Status().Code < 500 &&
		!apierrors.IsTooManyRequests(err) && !apierrors.IsTimeout(err):
		return fleet.ErrInvalid
	}
	return fleet.ErrUnavailable
}
