package sandbox

import (
	"net"
	"os"
	"path/filepath"
	"strings"
)

// maxSocketPath is the longest path every system takes for a Unix socket: 104
// bytes with the final zero on BSD systems, 108 on Linux.
const maxSocketPath = 103

// listen opens the control socket and writes its path to the address file. The
// socket is in the state folder, or in a private temporary one when that path is
// too long. The caller holds the lock, so that a socket found there is stale.
func listen(folder folder) (net.Listener, error) {
	removeSocket(folder)
	path := folder.socket()
	if len(path) > maxSocketPath {
		short, err := os.MkdirTemp("", "meridian-")
		if err != nil {
			return nil, err
		}
		path = filepath.Join(short, filepath.Base(path))
	}
	if err := os.WriteFile(folder.address(), []byte(path+"\n"), 0o600); err != nil {
		return nil, err
	}
	listener, err := net.Listen("unix", path)
	if err != nil {
		return nil, err
	}
	return listener, os.Chmod(path, 0o600)
}

// socketPath reads where the control socket is.
func socketPath(folder folder) (string, error) {
	path, err := os.ReadFile(folder.address())
	return strings.TrimSpace(string(path)), err
}

// removeSocket deletes the control socket and what was made for it.
func removeSocket(folder folder) {
	path, err := socketPath(folder)
	if err != nil {
		return
	}
	_ = os.Remove(path)
	if path != folder.socket() {
		_ = os.Remove(filepath.Dir(path)) // only when empty
	}
	_ = os.Remove(folder.address())
}
