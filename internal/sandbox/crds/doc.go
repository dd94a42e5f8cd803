// Package crds holds the custom resource definitions of the sandbox's management
// cluster: Cluster API's own, those of the managed Kubernetes flavours of AWS and
// Google Cloud, generated from the schemas their projects publish, and those of
// Azure's, written by hand in the folder handwritten because their project's
// module is not importable. Generation keeps the version objects are stored in,
// drops descriptions (they cost the API server memory and say nothing to it) and
// adds the labels by which Cluster API finds which contract a kind speaks.
package crds

//go:generate go run ./generate -output generated
