// Package azure is the provider for Microsoft Azure: the catalog of its regions,
// and AKS clusters with agent pools as objects of Cluster API's Azure provider
// (CAPZ), which wrap resources of the Azure Service Operator (ASO).
package azure
