// Package catalog reads the region catalogs that are embedded in the provider
// plugins: a YAML file of operators and regions, checked as a whole when it is
// loaded so that a wrong fact cannot hide in it.
package catalog
