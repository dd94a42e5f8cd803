package workflows

import "github.com/meridian-fleet/meridian/internal/fleet"

// FleetQueue is the task queue of workflows and of activities that need the
// inventory or the management cluster.
const FleetQueue = "fleet"

// RegionQueue is the task queue of activities that talk to a region's
// clusters, for regions whose worker runs inside them.
func RegionQueue(region string) string { return "region/" + region }

// Workflow types.
const (
	RolloutWorkflow    = "Rollout"
	PlanWorkflow       = "PlanRollout"
	ChangeWorkflow     = "ChangeCluster"
	OnboardingWorkflow = "OnboardRegion"
	DriftWorkflow      = "CheckDrift"
	HealWorkflow       = "HealDrift"
)

// RolloutID is the workflow id of a rollout.
func RolloutID(rollout string) string { return "rollout/" + rollout }

// PlanID is the workflow id of one planning.
func PlanID(unique string) string { return "plan/" + unique }

// ChangeID is the workflow id of a change to a cluster, and so the lock that
// keeps a second change from running on it.
func ChangeID(cluster string) string { return "change/" + cluster }

// OnboardingID is the workflow id of a region's onboarding.
func OnboardingID(region string) string { return "onboarding/" + region }

// HealID is the workflow id of one healing.
func HealID(unique string) string { return "heal/" + unique }

// DriftScheduleID is the id of the schedule that checks drift; DriftID is the
// workflow id its runs and the ones asked for have.
const (
	DriftScheduleID = "drift-check"
	DriftID         = "drift/check"
)

// Signals steer a rollout or an onboarding (abort only). They may come at any
// time, also more than once.
const (
	SignalPause  = "pause"
	SignalResume = "resume"
	SignalAbort  = "abort"
)

// QueryProgress asks a running rollout or onboarding how far it is. A rollout
// answers with a fleet.RolloutStatus, an onboarding with a fleet.RegionStatus.
const QueryProgress = "progress"

// Control is the payload of a signal.
type Control struct {
	Actor  string `json:"actor"`
	Reason string `json:"reason,omitempty"`
}

// RolloutInput starts a rollout whose Rollout resource is in the inventory.
type RolloutInput struct {
	Rollout string `json:"rollout"`
}

// PlanInput starts a planning; the result is a fleet.RolloutPlan.
type PlanInput struct {
	Spec fleet.RolloutSpec `json:"spec"`
}

// OnboardingInput starts an onboarding of a declared region.
type OnboardingInput struct {
	Region string `json:"region"`
	Actor  string `json:"actor"`
}

// DriftInput starts a drift check of the named clusters, all when empty.
type DriftInput struct {
	Clusters []string `json:"clusters,omitempty"`
}

// HealInput starts a healing: the named clusters, all that drifted when
// empty, are taken back to the baseline they should have. The result is a
// HealResult.
type HealInput struct {
	Heal     string   `json:"heal"` // unique, owner of its ClusterChange resources
	Clusters []string `json:"clusters,omitempty"`
	Actor    string   `json:"actor"`
}

// HealResult says what a healing did.
type HealResult struct {
	Healed []string          `json:"healed"`
	Failed map[string]string `json:"failed,omitempty"` // cluster to message
}
