package workflows

import (
	"errors"
	"fmt"
	"strings"

	"go.temporal.io/sdk/temporal"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// Failure is a fleet error as it crosses activities and workflows: the only
// detail of a Temporal application error whose type is the kind's name.
type Failure struct {
	Kind     string                 `json:"kind"`
	Object   string                 `json:"object,omitempty"`
	Message  string                 `json:"message"` // of the cause, without Temporal's wrapping
	Hint     string                 `json:"hint,omitempty"`
	Blocking []fleet.BlockingObject `json:"blocking,omitempty"`
}

// Fail turns an error into the Temporal error that an activity or a workflow
// returns. Only what a retry may mend is retried.
func Fail(err error, blocking ...fleet.BlockingObject) error {
	if err == nil {
		return nil
	}
	failure := FailureOf(err)
	if len(blocking) > 0 {
		failure.Blocking = blocking
	}
	return failure.Fail()
}

// Fail is the Temporal error that carries the failure.
func (f Failure) Fail() error {
	kind := fleet.KindNamed(f.Kind)
	return temporal.NewApplicationErrorWithOptions(f.Message, f.Kind, temporal.ApplicationErrorOptions{
		NonRetryable: !retryable(kind),
		Details:      []any{f},
	})
}

func retryable(kind *fleet.ErrorKind) bool {
	return kind == fleet.ErrUnavailable || kind == fleet.ErrInternal
}

// KindOf is the fleet error kind of an error that came out of an activity or
// a workflow; nil for nil.
func KindOf(err error) *fleet.ErrorKind {
	if err == nil {
		return nil
	}
	return fleet.KindNamed(FailureOf(err).Kind)
}

// FailureOf reads the root cause out of an error, also one that crossed
// activities and workflows.
func FailureOf(err error) Failure {
	var application *temporal.ApplicationError
	if errors.As(err, &application) {
		return applicationFailure(application)
	}
	var timeout *temporal.TimeoutError
	var terminated *temporal.TerminatedError
	switch {
	case temporal.IsCanceledError(err):
		return Failure{Kind: fleet.ErrConflict.Error(), Message: "cancelled"}
	case errors.As(err, &timeout):
		return Failure{Kind: fleet.ErrUnavailable.Error(), Message: fmt.Sprintf("no answer in time (%s)", timeout.TimeoutType())}
	case errors.As(err, &terminated):
		return Failure{Kind: fleet.ErrConflict.Error(), Message: "terminated by an operator"}
	}
	return fleetFailure(err)
}

func applicationFailure(application *temporal.ApplicationError) Failure {
	var failure Failure
	if application.HasDetails() && application.Details(&failure) == nil && failure.Kind != "" {
		return failure
	}
	return Failure{Kind: fleet.ErrInternal.Error(), Message: application.Message()}
}

func fleetFailure(err error) Failure {
	failure := Failure{Kind: fleet.KindOf(err).Error(), Message: err.Error()}
	var known *fleet.Error
	if errors.As(err, &known) {
		failure.Object, failure.Hint = known.Object, known.Hint
	}
	return failure
}

// Text says what failed in one line: the message and, when there are any,
// the objects that block and what they wait for.
func (f Failure) Text() string {
	if len(f.Blocking) == 0 {
		return f.Message
	}
	const shown = 3
	var parts []string
	for _, object := range f.Blocking[:min(shown, len(f.Blocking))] {
		parts = append(parts, fmt.Sprintf("%s waits for: %s", object.Object, object.Reason))
	}
	if rest := len(f.Blocking) - shown; rest > 0 {
		parts = append(parts, fmt.Sprintf("and %d more", rest))
	}
	return strings.Join(parts, "; ")
}
