package workflows

import (
	"time"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// Activity types. Package activities implements them.
const (
	ActivityResolveRegion    = "ResolveRegion"    // OnboardingInput → ResolvedRegion
	ActivityProvisionCluster = "ProvisionCluster" // ClusterStep
	ActivityAwaitCluster     = "AwaitCluster"     // ClusterStep
	ActivityObserveCluster   = "ObserveCluster"   // ClusterStep
	ActivityRemoveCluster    = "RemoveCluster"    // RemoveInput
	ActivityRecordRegion     = "RecordRegion"     // RegionRecord

	ActivityPlanRollout      = "PlanRollout"      // PlanInput → fleet.RolloutPlan
	ActivityPrepareRollout   = "PrepareRollout"   // RolloutInput → PreparedRollout
	ActivityConfirmUnchanged = "ConfirmUnchanged" // ConfirmInput → []string
	ActivityRecordRollout    = "RecordRollout"    // RolloutRecord

	ActivityDeclareChanges = "DeclareChanges" // DeclareInput
	ActivityApplyBaseline  = "ApplyBaseline"  // ChangeInput → fleet.ClusterChangeStatus
	ActivityRecordChange   = "RecordChange"   // ChangeRecord

	ActivityCompareClusters    = "CompareClusters"    // DriftInput → DriftSummary
	ActivityDiscoverPlacements = "DiscoverPlacements" // DriftInput → DiscoverySummary
	ActivitySelectDrifted      = "SelectDrifted"      // HealInput → HealSelection
)

// ClusterStep names the cluster one step of an onboarding works on.
type ClusterStep struct {
	Region  string `json:"region"`
	Cluster string `json:"cluster"`
	Actor   string `json:"actor"`
}

// ResolvedRegion is what an onboarding found out before it changes anything.
type ResolvedRegion struct {
	Facts     fleet.RegionFacts `json:"facts"`
	Clusters  []ResolvedCluster `json:"clusters"`
	Baseline  string            `json:"baseline,omitempty"`
	StartedAt time.Time         `json:"startedAt"`
}

// ResolvedCluster is a cluster an onboarding takes care of.
type ResolvedCluster struct {
	Name string `json:"name"`
	// Existed is true for a cluster that was Ready before: a failed onboarding
	// leaves it alone.
	Existed bool `json:"existed,omitempty"`
	// Recorded is true when the onboarding itself put the Cluster resource
	// into the inventory, because none was declared for the region.
	Recorded bool `json:"recorded,omitempty"`
	// Baseline is the one the cluster should have already; the region's own is
	// then not installed over it.
	Baseline string `json:"baseline,omitempty"`
}

// RemoveInput asks to undo what an onboarding made of a cluster.
type RemoveInput struct {
	ClusterStep
	Forget  bool   `json:"forget,omitempty"` // delete the Cluster resource, too
	Message string `json:"message"`          // why, for the status of a cluster that stays declared
}

// RegionRecord is a region's status to write.
type RegionRecord struct {
	Region string             `json:"region"`
	Actor  string             `json:"actor"`
	Status fleet.RegionStatus `json:"status"`
}

// PreparedRollout is a rollout's plan, recorded and ready to be carried out.
// Its clusters carry counts, not single object changes: histories stay small.
type PreparedRollout struct {
	Plan         fleet.RolloutPlan   `json:"plan"`
	Status       fleet.RolloutStatus `json:"status"`
	ReadyTimeout fleet.Duration      `json:"readyTimeout"`
}

// ConfirmInput asks which of a wave's clusters have the baseline already, in
// full and healthy. Their changes are recorded as succeeded.
type ConfirmInput struct {
	Rollout  string   `json:"rollout"`
	Baseline string   `json:"baseline"`
	Clusters []string `json:"clusters"`
}

// RolloutRecord is a rollout's status to write, and the clusters it will not
// reach any more.
type RolloutRecord struct {
	Rollout string              `json:"rollout"`
	Status  fleet.RolloutStatus `json:"status"`
	Skipped []string            `json:"skipped,omitempty"`
}

// DeclareInput makes the ClusterChange resources of an operation.
type DeclareInput struct {
	Operation string                    `json:"operation"`
	Actor     string                    `json:"actor"`
	Changes   []fleet.ClusterChangeSpec `json:"changes"`
}

// ChangeInput starts a change: taking one cluster to a baseline.
type ChangeInput struct {
	Operation    string         `json:"operation"` // owner of the ClusterChange: rollout, heal or onboarding
	Reason       string         `json:"reason"`    // rollout, heal, onboarding
	Actor        string         `json:"actor"`
	Cluster      string         `json:"cluster"`
	Baseline     string         `json:"baseline"`
	ReadyTimeout fleet.Duration `json:"readyTimeout,omitempty"`
}

// Name of the change's ClusterChange resource.
func (c ChangeInput) Name() string { return c.Operation + "/" + c.Cluster }

// ChangeRecord is the state of a change to write into its ClusterChange.
type ChangeRecord struct {
	Name     string                 `json:"name"`
	Actor    string                 `json:"actor"`
	Phase    fleet.Phase            `json:"phase"`
	Message  string                 `json:"message,omitempty"`
	Blocking []fleet.BlockingObject `json:"blocking,omitempty"`
}

// DriftSummary says what a drift check found.
type DriftSummary struct {
	Checked     []string          `json:"checked"`
	Drifted     []string          `json:"drifted,omitempty"`
	Changing    []string          `json:"changing,omitempty"`    // skipped: a change runs on them
	Unreachable map[string]string `json:"unreachable,omitempty"` // cluster to message
}

// DiscoverySummary says what a look for labelled data found.
type DiscoverySummary struct {
	Looked      int               `json:"looked"`                // clusters looked into
	Placements  int               `json:"placements"`            // places where labelled data is
	Unreachable map[string]string `json:"unreachable,omitempty"` // cluster to message
}

// HealSelection is what a healing has to do.
type HealSelection struct {
	Changes []fleet.ClusterChangeSpec `json:"changes"`
	Refused map[string]string         `json:"refused,omitempty"` // cluster to why it cannot be healed
}
