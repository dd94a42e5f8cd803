// Package testbed runs the built binaries as a person would: a fleetd in dev
// mode on a data folder of its own, and fleetctl against it. The demo, the
// benchmark and the tests that kill processes are written with it.
package testbed
