// Package builtin is the region catalogs of the providers Meridian ships with,
// for programs that need facts about regions and no cloud: the command line
// judges documents with them when no daemon runs. It links no cloud SDK. A
// daemon asks its plugins instead, which may know other regions.
package builtin
