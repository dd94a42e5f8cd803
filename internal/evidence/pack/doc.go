// Package pack is the evidence pack: what a report says, sealed with proofs
// that its documents are in Meridian's tamper-evident log. Verify needs the
// pack alone, and says what was changed where when one byte of it was; nothing
// here reads a file, asks a server or knows where the log is kept.
package pack
