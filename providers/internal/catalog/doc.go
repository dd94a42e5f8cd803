// Package catalog reads the region catalogs that are embedded in the provider
// plugins: a YAML file of operators, the legal entities that run regions, and of
// the regions they run.
package catalog
