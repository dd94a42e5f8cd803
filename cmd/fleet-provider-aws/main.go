// Command fleet-provider-aws is the provider plugin for Amazon Web Services. Meridian
// starts it; people do not.
package main

import (
	"log/slog"
	"os"

	"github.com/meridian-fleet/meridian/providers/aws"
	"github.com/meridian-fleet/meridian/providers/plugin"
)

func main() {
	provider, err := aws.New()
	if err != nil {
		slog.Error("make provider", "error", err)
		os.Exit(1)
	}
	plugin.Serve(provider)
}
