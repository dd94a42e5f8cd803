// Kubebox runs real Kubernetes control planes whose nodes and pods are
// simulated. One process is one cluster: the API server, the controllers that
// workloads need, the scheduler, and KWOK standing in for every kubelet. All
// clusters of a machine share one etcd process, each under a prefix of its own.
// It is a module of its own, so that k8s.io/kubernetes stays out of the
// product, which talks to these clusters as it talks to any.
package main
