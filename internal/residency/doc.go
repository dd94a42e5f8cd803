// Package residency decides where data may be: it turns residency policies,
// jurisdiction groups and data classes into verdicts about datasets, facets
// and places at an instant.
//
// A Rulebook holds the documents. Compiled for an instant over a Catalog of
// places it answers from bitsets: Prepare a subject once, then ask Allows,
// Explain or Judge as often as needed. Reference answers the same questions
// slowly and straight from the documents, for tests to compare with. The
// package reads nothing but its arguments and is safe for concurrent use;
// docs/residency.md defines what it computes.
package residency
