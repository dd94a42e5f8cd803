package fleet_test

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

var kinds = []*fleet.ErrorKind{
	fleet.ErrInvalid, fleet.ErrNotFound, fleet.ErrDenied, fleet.ErrConflict,
	fleet.ErrUnavailable, fleet.ErrWaiting, fleet.ErrNeedsHuman, fleet.ErrInternal,
}

func TestErrorKinds(t *testing.T) {
	t.Parallel()
	for _, kind := range kinds {
		err := error(fleet.Errorf(kind, "read: %w", io.EOF).On("Cluster a"))
		for _, wrapped := range []error{err, fmt.Errorf("more: %w", err), errors.Join(errors.New("other"), err)} {
			for _, other := range kinds {
				if errors.Is(wrapped, other) != (other == kind) {
					t.Errorf("%v is %v", wrapped, other)
				}
			}
			if !errors.Is(wrapped, io.EOF) || fleet.KindOf(wrapped) != kind {
				t.Errorf("%v: cause or kind is lost: %v", wrapped, fleet.KindOf(wrapped))
			}
		}
		if fleet.KindNamed(kind.Error()) != kind || fleet.KindOf(kind) != kind {
			t.Errorf("%v is not found by its name", kind)
		}
	}
	outer := fleet.Errorf(fleet.ErrWaiting, "outer: %w", fleet.Errorf(fleet.ErrInvalid, "inner"))
	if fleet.KindOf(outer) != fleet.ErrWaiting {
		t.Error("the outermost kind does not count")
	}
	if fleet.KindOf(nil) != nil || fleet.KindOf(io.EOF) != fleet.ErrInternal || fleet.KindNamed("odd") != fleet.ErrInternal {
		t.Error("errors without a kind")
	}
}

func TestErrorText(t *testing.T) {
	t.Parallel()
	position := fleet.Position{File: "a.yaml", Line: 3, Column: 7}
	for want, err := range map[string]error{
		"no answer":                              fleet.Errorf(fleet.ErrUnavailable, "no answer"),
		"Cluster a: no answer (try again in 5s)": fleet.Errorf(fleet.ErrUnavailable, "no answer").On("Cluster a").Advise("try again in %ds", 5),
		"a.yaml:3:7: Region aws/x: spec.profile: is missing (such as gpu)": fleet.Errorf(fleet.ErrInvalid, "is missing").On("Region aws/x").At(position, "spec.profile").Advise("such as gpu"),
	} {
		if err.Error() != want {
			t.Errorf("got %q, want %q", err, want)
		}
	}
	for want, position := range map[string]fleet.Position{
		"": {}, "a": {File: "a"}, "a:2": {File: "a", Line: 2}, "2:3": {Line: 2, Column: 3}, "b": {File: "b", Column: 3},
	} {
		if got := position.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
