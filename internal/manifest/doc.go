// Package manifest reads the documents people write: YAML or JSON, several to
// a file, strictly. An unknown field, a value of the wrong type, a key given
// twice or a rule of its kind not kept is a fault with file, line, column and
// field; all faults of a file are reported together. Parse reads the documents
// that fleetctl apply takes, Check compares what they refer to with what there
// is, and DecodeStrict reads one document of any other form (a bundle's
// baseline.yaml) with an Index that says where each field was written.
package manifest
