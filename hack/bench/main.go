// Command bench measures what a rollout costs beyond the least it could cost.
// On sixteen onboarded regions it takes the same objects to every cluster
// twice, in one run: by a rollout, and by plain concurrent server-side apply
// with client-go (the floor). It prints the ratios, for a first rollout and
// for one with nothing to change.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}
