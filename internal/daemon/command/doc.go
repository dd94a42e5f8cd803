// Package command is fleetd's command line: dev, serve, sandbox and version.
// It turns flags into a configuration, signals into an orderly stop, and an
// error into one clear line per fault and an exit code.
package command
