// Package connection finds the daemon and talks to it: it reads the client
// configuration (address, token, certificate authority) from flags, the
// environment and a file, and makes an API client that authenticates itself
// and answers with fleet errors.
package connection
