// Package fleetv1 is Meridian's public API as generated from fleet.proto:
// messages here, the Connect client and handler in fleetv1connect. The daemon
// serves it, fleetctl and everybody else calls it.
package fleetv1
