// Package inventorytest holds what every inventory.Store must do, as tests any
// implementation can run: tables for its rules, a random walk compared with a
// simple model (reads as of earlier instants, history and watches included),
// and writers in several processes at once.
package inventorytest
