// Command fleetd is Meridian's control plane.
package main

import (
	"os"

	"github.com/meridian-fleet/meridian/internal/daemon/command"
)

func main() {
	os.Exit(command.Execute(os.Args[1:], os.Stdout, os.Stderr))
}
