// Package clusterapi makes a plain control plane a Cluster API management
// cluster: it installs the custom resource definitions, and runs Cluster API's
// own controllers and admission webhooks, unchanged, in one manager in this
// process. The API server reaches the webhooks on a loopback port that only a
// certificate authority made for this run vouches for.
package clusterapi
