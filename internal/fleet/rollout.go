package fleet

import "time"

// RolloutStrategySpec says in which waves a baseline reaches the clusters and
// how much may go wrong. Clusters that no wave selects form a last wave of
// their own, so that none is forgotten.
type RolloutStrategySpec struct {
	Waves         []WaveSpec `json:"waves,omitempty"`
	FailureBudget Amount     `json:"failureBudget,omitzero"` // failed clusters a wave survives; count or percent of the wave; default 0
	MaxParallel   int        `json:"maxParallel,omitempty"`  // clusters changed at once; default 4
	ReadyTimeout  Duration   `json:"readyTimeout,omitempty"` // for one cluster to become ready; default 5m
}

// WaveSpec is one wave.
type WaveSpec struct {
	Name          string   `json:"name"`
	Clusters      Selector `json:"clusters,omitzero"`
	Limit         Amount   `json:"limit,omitzero"`          // at most so many of the selected clusters; the others fall to later waves
	MaxParallel   int      `json:"maxParallel,omitempty"`   // overrides the strategy's
	FailureBudget *Amount  `json:"failureBudget,omitempty"` // overrides the strategy's
	Soak          Duration `json:"soak,omitempty"`          // rest after the wave, before the next
	Pause         bool     `json:"pause,omitempty"`         // wait for a resume after the wave
}

// Selector picks clusters; an empty field matches all.
type Selector struct {
	MatchLabels map[string]string `json:"matchLabels,omitempty"` // of the cluster, which has its region's labels too
	Providers   []string          `json:"providers,omitempty"`
	Regions     []string          `json:"regions,omitempty"`
	Clusters    []string          `json:"clusters,omitempty"`
}

// RolloutSpec is an order to take clusters to a baseline version.
type RolloutSpec struct {
	Baseline string   `json:"baseline"`           // NAME@VERSION
	Strategy string   `json:"strategy,omitempty"` // RolloutStrategy; empty: the built-in one
	Clusters Selector `json:"clusters,omitzero"`
	PlanHash string   `json:"planHash,omitempty"` // refuse to start unless the plan has this hash
}

// Phase of a rollout, of one of its waves, or of one cluster's change.
type Phase string

// The phases.
const (
	PhasePending   Phase = "Pending"
	PhasePlanning  Phase = "Planning"
	PhaseWaiting   Phase = "Waiting" // for another change on the same cluster
	PhaseRunning   Phase = "Running"
	PhaseSoaking   Phase = "Soaking"
	PhasePaused    Phase = "Paused"
	PhaseSucceeded Phase = "Succeeded"
	PhaseFailed    Phase = "Failed"
	PhaseAborted   Phase = "Aborted"
	PhaseSkipped   Phase = "Skipped"
)

// Done reports whether a phase is final.
func (p Phase) Done() bool {
	return p == PhaseSucceeded || p == PhaseFailed || p == PhaseAborted || p == PhaseSkipped
}

// RolloutStatus is how far a rollout is. Per-cluster results are ClusterChange
// resources owned by the rollout.
type RolloutStatus struct {
	Phase       Phase        `json:"phase"`
	Message     string       `json:"message,omitempty"`
	RequestedBy string       `json:"requestedBy,omitempty"`
	PlanHash    string       `json:"planHash,omitempty"`
	Digest      string       `json:"digest,omitempty"` // of the bundle it delivers
	StartedAt   *time.Time   `json:"startedAt,omitempty"`
	FinishedAt  *time.Time   `json:"finishedAt,omitempty"`
	Waves       []WaveStatus `json:"waves,omitempty"`
}

// WaveStatus is how far one wave is.
type WaveStatus struct {
	Name       string     `json:"name"`
	Phase      Phase      `json:"phase"`
	Message    string     `json:"message,omitempty"`
	Clusters   []string   `json:"clusters"`
	Succeeded  int        `json:"succeeded"`
	Failed     int        `json:"failed"`
	StartedAt  *time.Time `json:"startedAt,omitempty"`
	FinishedAt *time.Time `json:"finishedAt,omitempty"`
}

// ClusterChangeSpec is one cluster's part in an operation. The resource is
// named OPERATION/CLUSTER and owned by OPERATION.
type ClusterChangeSpec struct {
	Cluster  string `json:"cluster"`
	Region   string `json:"region"`
	Wave     string `json:"wave,omitempty"`
	Baseline string `json:"baseline"`
	Reason   string `json:"reason"` // rollout, onboarding, heal
}

// ClusterChangeStatus is how far it is.
type ClusterChangeStatus struct {
	Phase      Phase            `json:"phase"`
	Message    string           `json:"message,omitempty"`
	Created    int              `json:"created"`
	Configured int              `json:"configured"`
	Unchanged  int              `json:"unchanged"`
	Pruned     int              `json:"pruned"`
	Blocking   []BlockingObject `json:"blocking,omitempty"`
	StartedAt  *time.Time       `json:"startedAt,omitempty"`
	FinishedAt *time.Time       `json:"finishedAt,omitempty"`
}

// BlockingObject is an object that keeps a cluster from being ready.
type BlockingObject struct {
	Component string `json:"component"`
	Object    string `json:"object"` // Kind.group namespace/name
	Reason    string `json:"reason"` // what it waits for
}

// RolloutPlan is what a rollout would do. Hash binds an execution to it.
type RolloutPlan struct {
	Baseline string        `json:"baseline"`
	Digest   string        `json:"digest"`
	Strategy string        `json:"strategy"`
	Hash     string        `json:"hash"`
	Waves    []PlannedWave `json:"waves"`
}

// PlannedWave is one wave of a plan.
type PlannedWave struct {
	Name          string           `json:"name"`
	MaxParallel   int              `json:"maxParallel"`
	FailureBudget int              `json:"failureBudget"` // clusters
	Soak          Duration         `json:"soak,omitempty"`
	Pause         bool             `json:"pause,omitempty"`
	Clusters      []PlannedCluster `json:"clusters"`
}

// PlannedCluster is what one cluster would see.
type PlannedCluster struct {
	Cluster   string         `json:"cluster"`
	Region    string         `json:"region"`
	From      string         `json:"from,omitempty"` // baseline it has now
	Create    int            `json:"create"`
	Update    int            `json:"update"`
	Delete    int            `json:"delete"`
	Unchanged int            `json:"unchanged"`
	Problem   string         `json:"problem,omitempty"` // why it could not be planned: unreachable, conflict, …
	Changes   []ObjectChange `json:"changes,omitempty"`
	Omitted   int            `json:"omitted,omitempty"` // changes left out because the plan is long
}

// ObjectChange is one object a plan touches.
type ObjectChange struct {
	Component string   `json:"component"`
	Object    string   `json:"object"`
	Action    string   `json:"action"` // create, update, replace, delete, conflict
	Fields    []string `json:"fields,omitempty"`
}
