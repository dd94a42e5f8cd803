package failure_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"connectrpc.com/connect"

	fleetv1 "github.com/meridian-fleet/meridian/api/fleet/v1"
	"github.com/meridian-fleet/meridian/internal/cli/failure"
	"github.com/meridian-fleet/meridian/internal/fleet"
)

func TestCodeOf(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		err  error
		want failure.Code
	}{
		{nil, failure.Done},
		{errors.New("anything"), failure.Failed},
		{fleet.Errorf(fleet.ErrInvalid, "a"), failure.Invalid},
		{fleet.Errorf(fleet.ErrWaiting, "a"), failure.StillRunning},
		{fleet.Errorf(fleet.ErrDenied, "a"), failure.Denied},
		{fleet.Errorf(fleet.ErrNotFound, "a"), failure.NotFound},
		{fleet.Errorf(fleet.ErrConflict, "a"), failure.Conflict},
		{fleet.Errorf(fleet.ErrUnavailable, "a"), failure.Unavailable},
		{fleet.Errorf(fleet.ErrNeedsHuman, "a"), failure.Failed},
		{fleet.Errorf(fleet.ErrInternal, "a"), failure.Failed},
		{fmt.Errorf("around: %w", fleet.Errorf(fleet.ErrConflict, "a")), failure.Conflict},
		{&failure.Exit{Code: failure.DriftFound}, failure.DriftFound},
		{&failure.Exit{Code: failure.Failed, Err: fleet.Errorf(fleet.ErrInvalid, "a")}, failure.Failed},
	} {
		if got := failure.CodeOf(test.err); got != test.want {
			t.Errorf("%v: code %d, want %d", test.err, got, test.want)
		}
	}
}

func TestLinesHasALineForEachFault(t *testing.T) {
	t.Parallel()
	first := fleet.Errorf(fleet.ErrInvalid, "unknown field").At(fleet.Position{File: "a.yaml", Line: 3, Column: 7}, "spec.profil").Advise("did you mean profile?")
	second := fleet.Errorf(fleet.ErrInvalid, "two\nlines\x1b[2J")
	got := failure.Lines(errors.Join(first, errors.Join(second, io.ErrClosedPipe)))
	want := []string{"a.yaml:3:7: spec.profil: unknown field (did you mean profile?)", "two lines[2J", "io: read/write on closed pipe"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
	if lines := failure.Lines(&failure.Exit{Code: failure.DriftFound}); len(lines) != 0 {
		t.Errorf("an exit without an error said %q", lines)
	}
}

func wire(code connect.Code, message string, detail *fleetv1.ErrorDetail) error {
	err := connect.NewWireError(code, errors.New(message))
	if detail != nil {
		attached, attachErr := connect.NewErrorDetail(detail)
		if attachErr != nil {
			panic(attachErr)
		}
		err.AddDetail(attached)
	}
	return err
}

func TestFromRemote(t *testing.T) {
	t.Parallel()
	const address = "http://127.0.0.1:1"
	detail := &fleetv1.ErrorDetail{Kind: "conflict", Faults: []*fleetv1.Fault{
		{Message: "it is Ready", Object: "Region aws/a"}, {Message: "in use", Object: "Region aws/b", Hint: "wait"},
	}}
	for _, test := range []struct {
		err  error
		kind *fleet.ErrorKind
		want string
	}{
		{wire(connect.CodeFailedPrecondition, "ignored", detail), fleet.ErrConflict, "Region aws/a: it is Ready\nRegion aws/b: in use (wait)"},
		{wire(connect.CodeNotFound, "nothing there", nil), fleet.ErrNotFound, "nothing there"},
		{wire(connect.CodePermissionDenied, "no", &fleetv1.ErrorDetail{Kind: "denied"}), fleet.ErrDenied, "no"},
		{wire(connect.CodeInternal, "", nil), fleet.ErrInternal, "fleetd answered: internal"},
		{connect.NewError(connect.CodeUnavailable, errors.New("dial tcp: connection refused")), fleet.ErrUnavailable, "cannot reach fleetd at " + address + ": is it running? start it with `fleetd dev`"},
		{connect.NewError(connect.CodeInvalidArgument, io.ErrUnexpectedEOF), fleet.ErrUnavailable, "cannot reach fleetd at " + address + ": is it running? start it with `fleetd dev`"},
		{connect.NewError(connect.CodeUnimplemented, errors.New("404")), fleet.ErrUnavailable, "what answers at " + address + " is not fleetd, or another version of it"},
		{connect.NewError(connect.CodeUnauthenticated, errors.New("401")), fleet.ErrDenied, address + " refused the request (check the token)"},
	} {
		got := failure.FromRemote(t.Context(), test.err, address)
		if !errors.Is(got, test.kind) || strings.Join(failure.Lines(got), "\n") != test.want {
			t.Errorf("%v became %v: %q", test.err, fleet.KindOf(got), failure.Lines(got))
		}
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if got := failure.FromRemote(cancelled, wire(connect.CodeCanceled, "", nil), address); !errors.Is(got, context.Canceled) {
		t.Errorf("our own cancellation became %v", got)
	}
}
