// Command demo does Meridian's main job on this machine, with the binaries in
// bin/: it starts fleetd in dev mode, onboards sixteen regions, rolls a
// baseline over them twice, proves that the policies bite, lets the fleet
// drift and heals it, asks where data may be and proves the answers, and shuts
// everything down. It fails at the first step
// whose outcome is not the one it checks for.
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
		fmt.Fprintln(os.Stderr, "\ndemo failed:", err)
		os.Exit(1)
	}
}
