// Package change is the workflow that takes one cluster to a baseline. Its
// workflow id is made of the cluster's name, so Temporal itself keeps a second
// change from running on a cluster. Rollouts, onboardings and healings all
// change clusters through it.
package change
