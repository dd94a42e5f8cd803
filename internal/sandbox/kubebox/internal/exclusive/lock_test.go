package exclusive_test

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/meridian-fleet/meridian/internal/sandbox/kubebox/internal/exclusive"
)

func TestSecondWaitsForFirst(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "new")
	first, err := exclusive.Lock(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	second := make(chan error, 1)
	go func() {
		lock, err := exclusive.Lock(t.Context(), dir)
		if err == nil {
			lock.Close()
		}
		second <- err
	}()
	select {
	case err := <-second:
		t.Fatalf("the second got by the first: %v", err)
	case <-time.After(100 * time.Millisecond):
	}
	first.Close()
	if err := <-second; err != nil {
		t.Fatalf("after the first ended: %v", err)
	}
}

func TestGivesUpWithItsContext(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first, err := exclusive.Lock(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := exclusive.Lock(ctx, dir); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
}
