// Package evidence keeps the tamper-evident log: one entry for every change of
// what residency answers rest on, and for every pack handed to an auditor. The
// log is a Merkle tree on files (Tessera); a witness with a key and a memory of
// its own cosigns only what continues what it saw before, and every cosigned
// checkpoint is kept, so that a rewritten log is found out even if whoever
// rewrote it has the log's key. Verify compares the log with itself, with the
// kept checkpoints and with the inventory; Export seals a report with proofs.
//
// The inventory notes how far the log is, so that a log that was removed with its
// keys and begun anew, or cut off together with its witness, is found as well.
//
// Whoever can rewrite the log, the witness's folder and the inventory together
// can only be found out by something outside: an external witness, or packs
// handed out before.
package evidence
