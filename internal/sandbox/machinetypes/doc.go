// Package machinetypes knows what the clouds' machine types are made of: CPUs,
// memory and GPUs. Types with GPUs stand in a table; the sizes of general families
// follow from their names, as the clouds build them. A name that is neither is
// one the cloud would refuse.
package machinetypes
