package controlplane

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
	"strings"
)

const (
	// Ports are taken below the range the kernel gives to outgoing
	// connections. There, a client that redials a stopped API server can be
	// given that very port as its own, connect to itself, and keep it.
	lowestPort, highestPort = 20000, 32000
	attempts                = 100
)

// listen opens a loopback port: the one remembered in a file, or else a free
// one, which it then remembers, so that a restarted cluster keeps its address.
func listen(file string) (net.Listener, error) {
	content, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return listenAnywhere(file)
	}
	if err != nil {
		return nil, err
	}
	port, err := strconv.ParseUint(strings.TrimSpace(string(content)), 10, 16)
	if err != nil {
		return nil, fmt.Errorf("%s holds no port: %w", file, err)
	}
	listener, err := net.Listen("tcp", address(int(port)))
	if err != nil {
		return nil, fmt.Errorf("the cluster's own port is taken: %w", err)
	}
	return listener, nil
}

func listenAnywhere(file string) (net.Listener, error) {
	var lastError error
	for range attempts {
		port := lowestPort + rand.IntN(highestPort-lowestPort)
		listener, err := net.Listen("tcp", address(port))
		if err != nil {
			lastError = err
			continue
		}
		if err := os.WriteFile(file, []byte(strconv.Itoa(port)+"\n"), 0o600); err != nil {
			listener.Close()
			return nil, err
		}
		return listener, nil
	}
	return nil, fmt.Errorf("no free port between %d and %d: %w", lowestPort, highestPort, lastError)
}

func address(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
