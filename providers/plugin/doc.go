// Package plugin carries the Provider interface between two processes. A
// provider's main calls Serve; a host calls Dial with the path of that binary
// and gets a client that implements providers.Provider itself. In between is
// hashicorp/go-plugin: gRPC on a private socket with mutual TLS made for this
// one connection, the binary's checksum verified before it runs, the protocol
// version negotiated, and none of the host's environment passed on. A plugin
// ends with its host, however the host ends.
package plugin
