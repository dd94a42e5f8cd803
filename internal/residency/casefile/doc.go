// Package casefile reads and runs case files: situations and the verdicts they
// must get, which people keep beside their residency policies so that a change
// of a rule cannot change an answer unnoticed. Load reads them strictly, with
// the documents they rest on; Run judges every case by the engine and by the
// slow reference, says in plain words what came out otherwise than expected,
// and which rules no case exercises. LoadDocuments reads documents without
// cases, for whatever is decided without a server. docs/residency.md has the
// format.
package casefile
