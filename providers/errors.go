package providers

import (
	"errors"
	"fmt"
	"strings"
)

// Kind says what an error means for whoever gets it. It crosses the wire by
// name and is the target of errors.Is:
//
//	if errors.Is(err, providers.KindNotFound) { … }
type Kind string

// The error kinds.
const (
	KindInvalid     Kind = "invalid"     // the request is wrong; the same call fails again
	KindNotFound    Kind = "not found"   // the named thing does not exist
	KindDenied      Kind = "denied"      // the cloud, or a rule, does not allow it
	KindConflict    Kind = "conflict"    // the thing's present state does not admit it
	KindUnavailable Kind = "unavailable" // something needed cannot be reached now; a retry may do
	KindUnsupported Kind = "unsupported" // the provider cannot do it, and will not after a retry
	KindInternal    Kind = "internal"    // a defect of the provider's own
)

// Error makes a kind usable as a target of errors.Is.
func (k Kind) Error() string { return string(k) }

// Error is a failure with a kind.
type Error struct {
	Kind    Kind
	Message string  // what failed, in a clause
	Faults  []Fault // every single thing that is wrong, when it is the request
	Err     error   // the cause; may be nil; does not cross the wire
}

// Fault is one thing that is wrong with a request.
type Fault struct {
	Field   string // nodePools[1].gpu.count
	Message string
}

func (f Fault) String() string { return f.Field + ": " + f.Message }

// Errorf makes an error of a kind. A %w verb sets the cause.
func Errorf(kind Kind, format string, args ...any) *Error {
	wrapped := fmt.Errorf(format, args...)
	return &Error{Kind: kind, Message: wrapped.Error(), Err: errors.Unwrap(wrapped)}
}

func (e *Error) Error() string {
	if len(e.Faults) == 0 {
		return e.Message
	}
	faults := make([]string, len(e.Faults))
	for i, fault := range e.Faults {
		faults[i] = fault.String()
	}
	return e.Message + ": " + strings.Join(faults, "; ")
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is reports whether target is this error's kind.
func (e *Error) Is(target error) bool {
	kind, ok := target.(Kind)
	return ok && kind == e.Kind
}

// KindOf returns the kind of the outermost error in err's tree that has one,
// and KindInternal when none has.
func KindOf(err error) Kind {
	var withKind *Error
	if errors.As(err, &withKind) {
		return withKind.Kind
	}
	var kind Kind
	if errors.As(err, &kind) {
		return kind
	}
	return KindInternal
}
