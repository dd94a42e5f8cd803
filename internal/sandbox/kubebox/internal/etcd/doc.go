// Package etcd runs the one etcd server that the control planes of a machine
// share, and gives a removed control plane's data back. The server writes
// without fsync: its data survives the end of the process, not of the machine,
// which is what a sandbox needs and what lets seventeen clusters share a disk.
package etcd
