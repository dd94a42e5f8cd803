// Package providertest is the conformance suite for providers. An author calls
// Run from a test with the provider and a request it should be able to render;
// everything is asked through a real gRPC connection, as Meridian asks it.
package providertest
