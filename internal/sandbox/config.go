package sandbox

import (
	"log/slog"
	"path/filepath"
)

// Config is what a sandbox process needs.
type Config struct {
	StateDir      string // everything the sandbox keeps; made when it does not exist
	KubeboxBinary string // runs one Kubernetes control plane
	Logger        *slog.Logger
}

// managementName is the management cluster's control plane. Those of workload
// clusters have a dot in their names, so that it cannot be one of theirs.
const managementName = "management"

// folder is a sandbox's state folder.
type folder string

func (f folder) lock() string          { return filepath.Join(string(f), "sandbox.lock") }
func (f folder) socket() string        { return filepath.Join(string(f), "control.sock") }
func (f folder) address() string       { return filepath.Join(string(f), "control.address") }
func (f folder) failure() string       { return filepath.Join(string(f), "failure") }
func (f folder) kubeconfig() string    { return filepath.Join(string(f), "management.kubeconfig") }
func (f folder) controlPlanes() string { return filepath.Join(string(f), "control-planes") }
