// Package activities does the side effects of Meridian's workflows: it reads
// and writes the inventory, asks providers, works on the management cluster,
// and has baselines delivered to clusters. Every activity may run again after
// a crash, and then goes on where it was. Dependencies come in by constructor,
// as interfaces where there is more than one implementation.
package activities
