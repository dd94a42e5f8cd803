package lifeline_test

import (
	"context"
	"io"
	"testing"
	"time"

	"github.com/meridian-fleet/meridian/internal/sandbox/kubebox/internal/lifeline"
)

func TestEndsWithItsInput(t *testing.T) {
	reader, writer := io.Pipe()
	alive := lifeline.Watch(t.Context(), reader)
	if _, err := writer.Write([]byte("still here\n")); err != nil {
		t.Fatal(err)
	}
	if alive.Err() != nil {
		t.Fatal("ended while its input was open")
	}
	writer.Close()
	select {
	case <-alive.Done():
	case <-time.After(10 * time.Second):
		t.Fatal("did not end with its input")
	}
}

func TestEndsWithItsContext(t *testing.T) {
	reader, writer := io.Pipe()
	defer writer.Close()
	ctx, cancel := context.WithCancel(t.Context())
	alive := lifeline.Watch(ctx, reader)
	cancel()
	<-alive.Done()
}
