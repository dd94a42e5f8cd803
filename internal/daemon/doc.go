// Package daemon is fleetd: it reads a configuration, makes the concrete
// implementation of every part (inventory, Temporal, management cluster,
// provider plugins, workers, API) and starts and stops them in the right
// order. It is the only package that sees all of them. `fleetd dev` and
// `fleetd serve` differ in the configuration alone: one is made by Dev, the
// other read from a file.
package daemon
