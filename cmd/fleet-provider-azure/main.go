// Command fleet-provider-azure is the provider plugin for Microsoft Azure. Meridian
// starts it; people do not.
package main

import (
	"log/slog"
	"os"

	"github.com/meridian-fleet/meridian/providers/azure"
	"github.com/meridian-fleet/meridian/providers/plugin"
)

func main() {
	provider, err := azure.New()
	if err != nil {
		slog.Error("make provider", "error", err)
		os.Exit(1)
	}
	plugin.Serve(provider)
}
