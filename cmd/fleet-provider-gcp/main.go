// Command fleet-provider-gcp is the provider plugin for Google Cloud. Meridian
// starts it; people do not.
package main

import (
	"log/slog"
	"os"

	"github.com/meridian-fleet/meridian/providers/gcp"
	"github.com/meridian-fleet/meridian/providers/plugin"
)

func main() {
	provider, err := gcp.New()
	if err != nil {
		slog.Error("make provider", "error", err)
		os.Exit(1)
	}
	plugin.Serve(provider)
}
