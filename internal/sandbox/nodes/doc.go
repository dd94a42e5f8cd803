// Package nodes makes the simulated nodes of a control plane: Node objects with
// the labels, capacity and identity a cloud's machines would have, and for
// machines with GPUs the ResourceSlices by which dynamic resource allocation
// knows each device. Simulated kubelets bring the nodes to life.
package nodes
