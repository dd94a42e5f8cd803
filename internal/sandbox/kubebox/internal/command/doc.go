// Package command is kubebox's command line: serve etcd, run a cluster, purge a
// cluster's data.
package command
