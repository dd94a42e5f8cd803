// Command fleetctl steers a Meridian fleet from the command line.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/meridian-fleet/meridian/internal/cli"
	"github.com/meridian-fleet/meridian/internal/cli/factory"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second interrupt ends the process at once
	os.Exit(cli.Main(ctx, factory.New(), os.Args[1:]))
}
