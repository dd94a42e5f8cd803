// Package starter starts, awaits and signals workflows through a Temporal
// client, and turns what Temporal answers into fleet errors. It is the one
// place where the API meets Temporal.
package starter
