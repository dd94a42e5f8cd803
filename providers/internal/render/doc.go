// Package render holds what the cluster objects of every cloud have in common:
// Cluster API's own Cluster and MachinePool, metadata, node labels, and reading
// the account settings of a request. Objects are plain maps, so that plugins
// need none of the clouds' Go types; tests hold them against the real schemas.
package render
