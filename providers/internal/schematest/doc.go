// Package schematest holds rendered objects against the real schemas of Cluster
// API and its providers, as an API server would: unknown fields, structural
// rules and the rules written in CEL. Tests use it; nothing else does.
package schematest
