package failure

import (
	"errors"
	"fmt"
	"strings"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// Code is an exit code.
type Code int

// The exit codes.
const (
	Done         Code = 0
	Failed       Code = 1
	Invalid      Code = 2
	StillRunning Code = 3
	Denied       Code = 4
	NotFound     Code = 5
	Conflict     Code = 6
	Unavailable  Code = 7
	DriftFound   Code = 8
	NotLawful    Code = 9
)

var codes = []struct {
	Code
	meaning string
}{
	{Done, "done"},
	{Failed, "failed: the operation ended badly, or Meridian has a defect"},
	{Invalid, "invalid input or usage; nothing was changed"},
	{StillRunning, "still running: the time allowed is over, or waiting was interrupted; the operation goes on"},
	{Denied, "denied: not authenticated, or not allowed"},
	{NotFound, "not found"},
	{Conflict, "conflict: the present state does not admit it"},
	{Unavailable, "unavailable: fleetd, or something it needs, cannot be reached"},
	{DriftFound, "drift was found (only with --exit-code)"},
	{NotLawful, "not lawful: the rules say no, or an audit found places out of line"},
}

// Table lists the codes and their meanings, a line each.
func Table() string {
	var b strings.Builder
	for _, code := range codes {
		fmt.Fprintf(&b, "  %d  %s\n", code.Code, code.meaning)
	}
	return b.String()
}

var codeOfKind = map[*fleet.ErrorKind]Code{
	fleet.ErrInvalid:     Invalid,
	fleet.ErrNotFound:    NotFound,
	fleet.ErrDenied:      Denied,
	fleet.ErrConflict:    Conflict,
	fleet.ErrUnavailable: Unavailable,
	fleet.ErrWaiting:     StillRunning,
	fleet.ErrNeedsHuman:  Failed,
	fleet.ErrInternal:    Failed,
}

// Exit is an outcome with an exit code of its own. A nil Err prints nothing:
// the command has said everything.
type Exit struct {
	Code Code
	Err  error
}

func (e *Exit) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("exit code %d", e.Code)
	}
	return e.Err.Error()
}

// Unwrap returns the error to print.
func (e *Exit) Unwrap() error { return e.Err }

// CodeOf is the exit code of a command that ended with err.
func CodeOf(err error) Code {
	if err == nil {
		return Done
	}
	var exit *Exit
	if errors.As(err, &exit) {
		return exit.Code
	}
	if code, ok := codeOfKind[fleet.KindOf(err)]; ok {
		return code
	}
	return Failed
}

// Usagef is an error in how a command was called.
func Usagef(format string, args ...any) *fleet.Error {
	return fleet.Errorf(fleet.ErrInvalid, format, args...)
}
