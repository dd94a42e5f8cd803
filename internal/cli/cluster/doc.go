// Package cluster holds the verbs of clusters: list, and kubeconfig, which
// hands out access to one cluster's API server.
package cluster
