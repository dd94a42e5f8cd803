// Package gcp is the provider for Google Cloud: the catalog of its regions, and
// regional GKE clusters with node pools as objects of Cluster API's Google Cloud
// provider (CAPG).
package gcp
