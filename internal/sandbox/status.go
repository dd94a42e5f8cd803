package sandbox

import (
	"os"
	"sync"
)

// Status is what a sandbox says of itself.
type Status struct {
	Ready                bool           `json:"ready"`
	Phase                string         `json:"phase"` // what it is doing, for a person
	PID                  int            `json:"pid"`
	ManagementKubeconfig string         `json:"managementKubeconfig"` // path; the file is there when the sandbox is ready
	ControlPlanes        []ControlPlane `json:"controlPlanes"`
}

// ControlPlane is one of the sandbox's Kubernetes control planes: the management
// cluster's, called management, or that of Cluster NAME in NAMESPACE, called
// NAMESPACE.NAME.
type ControlPlane struct {
	Name     string `json:"name"`
	State    string `json:"state"` // starting, ready, stopped or failing
	Endpoint string `json:"endpoint,omitempty"`
	PID      int    `json:"pid,omitempty"`
	Starts   int    `json:"starts"` // by this sandbox process
	Failure  string `json:"failure,omitempty"`
}

// board is the status as the sandbox process keeps it.
type board struct {
	mutex  sync.Mutex
	status Status
}

func newBoard(folder folder) *board {
	return &board{status: Status{Phase: "starting", PID: os.Getpid(), ManagementKubeconfig: folder.kubeconfig()}}
}

func (b *board) set(phase string, ready bool) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	b.status.Phase, b.status.Ready = phase, ready
}

func (b *board) get() Status {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.status
}
