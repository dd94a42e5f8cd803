// Package version says which fleetctl this is, and which fleetd answers.
package version
