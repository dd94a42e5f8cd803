package baseline

import (
	"context"
	"errors"
	"net"
	"regexp"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utilnet "k8s.io/apimachinery/pkg/util/net"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// clusterFault gives an answer of a cluster its kind. The object may be empty.
func clusterFault(object, doing string, err error) error {
	var known *fleet.Error
	if err == nil || errors.As(err, &known) || errors.Is(err, context.Canceled) {
		return err
	}
	return fleet.Errorf(faultKind(err), "%s: %w", doing, err).On(object)
}

func faultKind(err error) *fleet.ErrorKind {
	switch {
	// A refusal comes first: one with a body that is not understood counts as
	// an unexpected answer, too.
	case apierrors.IsForbidden(err), apierrors.IsUnauthorized(err):
		return fleet.ErrDenied
	case unreachable(err), serverBusy(err), errors.Is(err, context.DeadlineExceeded):
		return fleet.ErrUnavailable
	case apierrors.IsConflict(err), apierrors.IsAlreadyExists(err):
		return fleet.ErrConflict
	case apierrors.IsNotFound(err), meta.IsNoMatchError(err):
		return fleet.ErrNotFound
	case apierrors.IsInvalid(err), apierrors.IsBadRequest(err), apierrors.IsRequestEntityTooLargeError(err):
		return fleet.ErrInvalid
	}
	return fleet.ErrInternal
}

// unreachable reports whether the API server could not be spoken to at all.
func unreachable(err error) bool {
	var network net.Error
	return utilnet.IsConnectionRefused(err) || utilnet.IsConnectionReset(err) || utilnet.IsProbableEOF(err) ||
		utilnet.IsHTTP2ConnectionLost(err) || errors.As(err, &network) || strings.Contains(err.Error(), "use of closed network connection")
}

// serverBusy reports whether the API server answered that it cannot now.
func serverBusy(err error) bool {
	return apierrors.IsTooManyRequests(err) || apierrors.IsServerTimeout(err) || apierrors.IsTimeout(err) ||
		apierrors.IsServiceUnavailable(err) || apierrors.IsInternalError(err) || apierrors.IsUnexpectedServerError(err)
}

// notYet reports whether an apply may succeed later in the same run: its kind
// or namespace is on the way, or the namespace is going and comes again.
func notYet(err error) bool {
	return apierrors.IsNotFound(err) || meta.IsNoMatchError(err) ||
		apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause)
}

// conflictManager finds the manager in the text of a conflict, the only place it is in.
var conflictManager = regexp.MustCompile(`^conflict with "([^"]*)"`)

// fieldConflict is a field that another manager owns.
type fieldConflict struct{ field, manager string }

// conflictsOf lists the fields that keep an object from being applied.
func conflictsOf(err error) []fieldConflict {
	var status apierrors.APIStatus
	if !apierrors.IsConflict(err) || !errors.As(err, &status) || status.Status().Details == nil {
		return nil
	}
	var out []fieldConflict
	for _, cause := range status.Status().Details.Causes {
		if cause.Type != metav1.CauseTypeFieldManagerConflict {
			continue
		}
		conflict := fieldConflict{field: strings.TrimPrefix(cause.Field, ".")}
		if found := conflictManager.FindStringSubmatch(cause.Message); found != nil {
			conflict.manager = found[1]
		}
		out = append(out, conflict)
	}
	return out
}

// conflictFault reports fields that others own.
func conflictFault(object string, conflicts []fieldConflict) error {
	var fields []string
	for _, conflict := range conflicts {
		fields = append(fields, conflict.field+" (owned by "+conflict.manager+")")
	}
	return fleet.Errorf(fleet.ErrConflict, "fields of it belong to another manager: %s", strings.Join(fields, ", ")).On(object).
		Advise("leave these fields out of the baseline, or have the other manager give them up")
}
