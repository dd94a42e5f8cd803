// Package rollout is the workflow that takes clusters to a baseline in waves:
// it plans, then starts one change per cluster, so many at a time as the wave
// allows, counts failures against the wave's budget, soaks, pauses, and stops
// when told or when too much went wrong. What to do next is decided by plain
// functions (wave.go, report.go); the workflow only carries it out.
package rollout
