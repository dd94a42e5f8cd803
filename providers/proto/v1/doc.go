// Package providerv1 is the frozen wire schema between Meridian and its
// provider plugins, as generated from provider.proto. Plugin authors rarely
// need it: package providers/plugin serves and dials the Go interface over it.
package providerv1
