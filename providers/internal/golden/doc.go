// Package golden compares what a provider renders with a file in its testdata.
// Set UPDATE_GOLDEN=1 to write the files anew. Tests use it; nothing else does.
package golden
