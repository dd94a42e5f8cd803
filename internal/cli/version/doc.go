// Package version is the command that says which fleetctl this is and, when a
// daemon can be reached, which fleetd answers: the two may be of different
// releases.
package version
