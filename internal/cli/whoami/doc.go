// Package whoami holds the command whoami: as whom fleetd knows the caller, and
// what the caller may do.
package whoami
