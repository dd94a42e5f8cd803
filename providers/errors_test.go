package providers_test

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/meridian-fleet/meridian/providers"
)

func TestErrorsAreToldApartByKind(t *testing.T) {
	t.Parallel()
	err := fmt.Errorf("outer: %w", providers.Errorf(providers.KindConflict, "busy: %w", io.ErrUnexpectedEOF))
	if !errors.Is(err, providers.KindConflict) || errors.Is(err, providers.KindInvalid) {
		t.Errorf("the kind of %v is not told", err)
	}
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("%v has lost its cause", err)
	}
	for _, test := range []struct {
		err  error
		want providers.Kind
	}{
		{err, providers.KindConflict},
		{providers.KindDenied, providers.KindDenied},
		{io.EOF, providers.KindInternal},
	} {
		if got := providers.KindOf(test.err); got != test.want {
			t.Errorf("KindOf(%v) = %q, want %q", test.err, got, test.want)
		}
	}
}
