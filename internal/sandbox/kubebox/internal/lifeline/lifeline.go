package lifeline

import (
	"context"
	"io"
)

// Watch returns a context that ends when input reaches its end. What is read
// before that is discarded.
func Watch(ctx context.Context, input io.Reader) context.Context {
	alive, parentGone := context.WithCancel(ctx)
	go func() {
		defer parentGone()
		_, _ = io.Copy(io.Discard, input)
	}()
	return alive
}
