package providerhost

import (
	"context"
	"errors"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/providers"
)

var fleetKinds = map[providers.Kind]*fleet.ErrorKind{
	providers.KindInvalid:     fleet.ErrInvalid,
	providers.KindNotFound:    fleet.ErrNotFound,
	providers.KindDenied:      fleet.ErrDenied,
	providers.KindConflict:    fleet.ErrConflict,
	providers.KindUnavailable: fleet.ErrUnavailable,
	providers.KindUnsupported: fleet.ErrNeedsHuman,
	providers.KindInternal:    fleet.ErrInternal,
}

// toFleet gives a provider's error the kind the rest of Meridian knows. Each
// fault of a request becomes an error of its own. The provider's error stays
// in the tree.
func toFleet(name string, err error) error {
	var already *fleet.Error
	if err == nil || errors.Is(err, context.Canceled) || errors.As(err, &already) {
		return err
	}
	object := "Provider " + name
	if errors.Is(err, context.DeadlineExceeded) {
		return fleet.Errorf(fleet.ErrUnavailable, "no answer in time: %w", err).On(object)
	}
	kind, known := fleetKinds[providers.KindOf(err)]
	if !known {
		kind = fleet.ErrInternal
	}
	var withFaults *providers.Error
	if !errors.As(err, &withFaults) || len(withFaults.Faults) == 0 {
		return fleet.Errorf(kind, "%w", err).On(object)
	}
	var all []error
	for _, fault := range withFaults.Faults {
		all = append(all, &fleet.Error{
			Kind: kind, Object: object, Field: fault.Field, Message: fault.Message, Err: withFaults,
		})
	}
	return errors.Join(all...)
}
