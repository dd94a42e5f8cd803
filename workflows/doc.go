// Package workflows names everything Meridian runs on Temporal: task queues,
// workflow types and ids, signals, queries, and the messages that cross them.
// Whoever starts, steers or asks a workflow needs this package and no other.
package workflows
