// Package cluster holds the verbs of clusters: list, kubeconfig.
package cluster
