// Package sandbox is the clouds on localhost: a process of its own that runs a
// Cluster API management cluster, stand-ins for the clouds' infrastructure
// controllers, and a real Kubernetes control plane for each cluster made there.
// It outlives the process that started it, as clouds do. Run is that process;
// Find and Launch give others a Client of it, over a Unix socket in its state
// folder. What uses the management cluster cannot tell it from a production one.
package sandbox
