// Package drift holds the verbs of drift: list what differs from the baseline
// a cluster should have, and heal it.
package drift
