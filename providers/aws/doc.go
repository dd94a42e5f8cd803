// Package aws is the provider for Amazon Web Services: the catalog of its
// regions, and EKS clusters with managed node groups as objects of Cluster
// API's AWS provider (CAPA).
package aws
