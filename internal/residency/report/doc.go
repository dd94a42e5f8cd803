// Package report writes an evidence pack as files that people and tools read:
// a self-contained HTML page for a compliance officer, OSCAL assessment results,
// and a table as CSV. A rendering is a function of the pack alone and carries it
// along (CSV in a second file), so that whoever gets one can verify the pack,
// render it again and compare every byte.
package report
