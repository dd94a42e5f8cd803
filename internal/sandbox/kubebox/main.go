package main

import (
	"os"

	"github.com/meridian-fleet/meridian/internal/sandbox/kubebox/internal/command"
)

func main() {
	os.Exit(command.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
