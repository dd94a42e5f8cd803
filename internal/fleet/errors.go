package fleet

import (
	"errors"
	"fmt"
	"strings"
)

// ErrorKind says what an error means for whoever gets it: whether to correct
// the input, wait, retry, or call a person. Kinds are compared by identity:
//
//	if errors.Is(err, fleet.ErrConflict) { … }
type ErrorKind struct{ name string }

// Error makes a kind usable as a target of errors.Is.
func (k *ErrorKind) Error() string { return k.name }

// The error kinds.
var (
	ErrInvalid     = &ErrorKind{"invalid"}       // the input is wrong; the same call fails again
	ErrNotFound    = &ErrorKind{"not found"}     // the named object does not exist
	ErrDenied      = &ErrorKind{"denied"}        // the caller, or a rule, does not allow it
	ErrConflict    = &ErrorKind{"conflict"}      // the object's present state does not admit it
	ErrUnavailable = &ErrorKind{"unavailable"}   // something needed cannot be reached now; a retry may do
	ErrWaiting     = &ErrorKind{"waiting"}       // not ready in the time allowed; nothing is broken
	ErrNeedsHuman  = &ErrorKind{"needs a human"} // no retry can mend it
	ErrInternal    = &ErrorKind{"internal"}      // a defect of Meridian's own
	errorKinds     = []*ErrorKind{ErrInvalid, ErrNotFound, ErrDenied, ErrConflict, ErrUnavailable, ErrWaiting, ErrNeedsHuman, ErrInternal}
)

// Position is a place in a file a person wrote. Lines and columns start at 1;
// zero means unknown.
type Position struct {
	File   string `json:"file,omitempty"`
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
}

func (p Position) String() string {
	var parts []string
	if p.File != "" {
		parts = append(parts, p.File)
	}
	if p.Line > 0 {
		parts = append(parts, fmt.Sprint(p.Line))
		if p.Column > 0 {
			parts = append(parts, fmt.Sprint(p.Column))
		}
	}
	return strings.Join(parts, ":")
}

// Error is a failure with a kind, the object it concerns and what to do.
type Error struct {
	Kind     *ErrorKind
	Object   string   // "Cluster aws-eu-central-1"; empty when none is concerned
	Position Position // where in the input, when the input is at fault
	Field    string   // "spec.waves[1].soak"; empty when none is concerned
	Message  string   // what failed, in a clause
	Hint     string   // what the person can do; may be empty
	Err      error    // the cause; may be nil
}

// Errorf makes an error of a kind. A %w verb sets the cause.
func Errorf(kind *ErrorKind, format string, args ...any) *Error {
	wrapped := fmt.Errorf(format, args...)
	return &Error{Kind: kind, Message: wrapped.Error(), Err: errors.Unwrap(wrapped)}
}

// On names the object an error concerns.
func (e *Error) On(object string) *Error { e.Object = object; return e }

// At names the field and the place in the input.
func (e *Error) At(position Position, field string) *Error {
	e.Position, e.Field = position, field
	return e
}

// Advise says what the person can do.
func (e *Error) Advise(format string, args ...any) *Error {
	e.Hint = fmt.Sprintf(format, args...)
	return e
}

func (e *Error) Error() string {
	var b strings.Builder
	for _, part := range []string{e.Position.String(), e.Object, e.Field} {
		if part != "" {
			b.WriteString(part)
			b.WriteString(": ")
		}
	}
	b.WriteString(e.Message)
	if e.Hint != "" {
		b.WriteString(" (")
		b.WriteString(e.Hint)
		b.WriteString(")")
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is reports whether target is this error's kind.
func (e *Error) Is(target error) bool {
	kind, ok := target.(*ErrorKind)
	return ok && kind == e.Kind
}

// KindOf returns the kind of the outermost error in err's tree that has one,
// ErrInternal when none has, and nil for a nil error.
func KindOf(err error) *ErrorKind {
	if err == nil {
		return nil
	}
	var withKind *Error
	if errors.As(err, &withKind) && withKind.Kind != nil {
		return withKind.Kind
	}
	var kind *ErrorKind
	if errors.As(err, &kind) {
		return kind
	}
	return ErrInternal
}

// KindNamed returns the kind with a name, for errors that crossed a wire;
// ErrInternal when the name is unknown.
func KindNamed(name string) *ErrorKind {
	for _, kind := range errorKinds {
		if kind.name == name {
			return kind
		}
	}
	return ErrInternal
}
