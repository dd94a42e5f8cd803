// Package capi works with the management cluster, where Cluster API keeps the
// fleet's clusters: it applies the objects a provider rendered, waits on
// watches until Cluster API reports a cluster ready, hands out credentials,
// observes clusters and their nodes, and removes a cluster with everything
// that belongs to it.
package capi
