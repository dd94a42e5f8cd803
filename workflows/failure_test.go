package workflows

import (
	"errors"
	"fmt"
	"testing"
	"time"

	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

var allKinds = []*fleet.ErrorKind{
	fleet.ErrInvalid, fleet.ErrNotFound, fleet.ErrDenied, fleet.ErrConflict,
	fleet.ErrUnavailable, fleet.ErrWaiting, fleet.ErrNeedsHuman, fleet.ErrInternal,
}

// across sends an error over Temporal's wire and back.
func across(err error) error {
	failures := temporal.NewDefaultFailureConverter(temporal.DefaultFailureConverterOptions{DataConverter: converter.GetDefaultDataConverter()})
	return failures.FailureToError(failures.ErrorToFailure(err))
}

func TestErrorsKeepKindAndTextAcrossTemporal(t *testing.T) {
	t.Parallel()
	for _, kind := range allKinds {
		t.Run(kind.Error(), func(t *testing.T) {
			t.Parallel()
			blocking := fleet.BlockingObject{Component: "gpu", Object: "DaemonSet.apps gpu/driver", Reason: "0 of 2"}
			err := across(Fail(fmt.Errorf("apply: %w", fleet.Errorf(kind, "it went wrong").On("Cluster a").Advise("try this")), blocking))
			if got := KindOf(err); got != kind {
				t.Errorf("kind %v", got)
			}
			want := Failure{Kind: kind.Error(), Object: "Cluster a", Message: "apply: Cluster a: it went wrong (try this)", Hint: "try this"}
			failure := FailureOf(err)
			if len(failure.Blocking) != 1 || failure.Blocking[0] != blocking {
				t.Errorf("blocking %v", failure.Blocking)
			}
			failure.Blocking = nil
			if failure.Kind != want.Kind || failure.Object != want.Object || failure.Message != want.Message || failure.Hint != want.Hint {
				t.Errorf("got %+v, want %+v", failure, want)
			}
			var application *temporal.ApplicationError
			if !errors.As(err, &application) || application.NonRetryable() == (kind == fleet.ErrUnavailable || kind == fleet.ErrInternal) {
				t.Errorf("retryable is wrong: %v", err)
			}
			if again := FailureOf(across(Fail(err))); again.Message != want.Message || again.Kind != want.Kind {
				t.Errorf("sent on: %+v", again)
			}
		})
	}
}

func TestKindsOfTemporalsOwnErrors(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		err  error
		kind *fleet.ErrorKind
	}{
		"nothing":   {nil, nil},
		"timeout":   {temporal.NewTimeoutError(enums.TIMEOUT_TYPE_HEARTBEAT, nil), fleet.ErrUnavailable},
		"cancelled": {temporal.NewCanceledError(), fleet.ErrConflict},
		"foreign":   {temporal.NewApplicationError("boom", "SomeType"), fleet.ErrInternal},
		"plain":     {errors.New("boom"), fleet.ErrInternal},
	} {
		if got := KindOf(test.err); got != test.kind {
			t.Errorf("%s: %v, want %v", name, got, test.kind)
		}
	}
}

func TestTextNamesTheFirstBlockingObjects(t *testing.T) {
	t.Parallel()
	failure := Failure{Message: "not ready in 5m"}
	if got := failure.Text(); got != "not ready in 5m" {
		t.Errorf("got %q", got)
	}
	for i := range 5 {
		failure.Blocking = append(failure.Blocking, fleet.BlockingObject{Object: fmt.Sprintf("Pod x/%d", i), Reason: "pending"})
	}
	want := "Pod x/0 waits for: pending; Pod x/1 waits for: pending; Pod x/2 waits for: pending; and 2 more"
	if got := failure.Text(); got != want {
		t.Errorf("got %q", got)
	}
}

func TestPatienceIsAsLongAsAskedFor(t *testing.T) {
	t.Parallel()
	for _, patience := range []time.Duration{0, time.Second, time.Minute, 10 * time.Minute} {
		waited, wait := time.Duration(0), firstRetry
		for range attemptsWithin(patience) - 1 {
			waited += wait
			wait = min(2*wait, slowestRetry)
		}
		if waited < patience || waited > patience+slowestRetry {
			t.Errorf("%s asked for, %s waited", patience, waited)
		}
	}
}
