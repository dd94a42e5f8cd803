// Package controlplane runs one Kubernetes cluster inside this process: an API
// server, the controllers that workloads need, a scheduler, and simulated
// kubelets. The components are Kubernetes' own, put together as their own
// commands do it, and talk to each other through the API server alone.
package controlplane
