// Package temporalbox runs a whole Temporal server inside the process, on one
// SQLite file: what `fleetd dev` and small installations need in place of a
// Temporal cluster. It listens on loopback ports that the kernel chooses and
// speaks mutual TLS under a certificate authority that exists in memory only,
// so that no other user of the machine can reach it. Everything it knows is in
// its folder; a box started there again goes on with the workflows it had.
package temporalbox
