// Package failure is how fleetctl fails: it turns what the daemon or the
// network answered into fleet errors, prints one line per fault, and chooses
// the exit code. The codes are part of fleetctl's interface to scripts; their
// meaning never changes.
package failure
