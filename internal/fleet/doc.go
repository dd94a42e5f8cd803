// Package fleet holds Meridian's vocabulary: the resource kinds a fleet is
// described with (regions, clusters, profiles, baselines, strategies,
// rollouts), the error kinds every package answers with, and the pure planners
// that turn a strategy and a list of clusters into waves. It imports the
// standard library only, so that every other package can speak it.
package fleet
