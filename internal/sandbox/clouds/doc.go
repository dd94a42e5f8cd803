// Package clouds stands in for the three clouds and the controllers that drive
// them. It reconciles the objects Cluster API leaves to an infrastructure
// provider: for each of EKS, GKE and AKS a cluster, a control plane and machine
// pools, the very kinds used in production, by Cluster API's provider contract.
// A control plane object becomes a real Kubernetes control plane, a machine pool
// becomes simulated nodes of the machine type it names. A flavour says how the
// three clouds differ; the reconcilers are the same for all. What a cloud would
// refuse is refused, in the object's Ready condition.
package clouds
