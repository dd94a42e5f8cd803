// Package credentials makes and keeps what one cluster proves itself with: its
// certificate authority, the API server's certificate, a client certificate
// for the administrator and for each component, and the key that signs service
// account tokens. They are made on a cluster's first start and kept, so that a
// kubeconfig handed out once stays good.
package credentials
