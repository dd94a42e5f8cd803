// Package evidence holds the verb of evidence: verify, which compares the log
// that fleetd keeps with itself and the inventory, or checks an auditor's file
// with nothing but the file.
package evidence
