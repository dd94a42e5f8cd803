// Package providers is the contract between Meridian and a cloud: the Provider
// interface, what it is asked and what it answers. A provider runs as a plugin
// process of its own (package plugin serves and dials it over gRPC). Nothing
// below this folder imports Meridian's internals, so that anyone can write a
// provider in a repository of their own.
package providers
