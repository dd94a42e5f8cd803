// Package boxtest gives tests real Kubernetes API servers. The control planes
// of one test binary share a host, which starts with the first test that needs
// it and ends with the last.
package boxtest
