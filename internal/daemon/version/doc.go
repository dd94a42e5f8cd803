// Package version says which Meridian this is. The build sets Version; commit
// and Go version come from what the toolchain stamps into every binary.
package version
