package fleet

import (
	"strings"
	"time"
)

// RegionSpec is what a fleet wants in one cloud region. The region's name is
// PROVIDER/ID, the id being the cloud's own.
type RegionSpec struct {
	Profile  string `json:"profile"`            // ClusterProfile of the region's default cluster
	Baseline string `json:"baseline,omitempty"` // NAME@VERSION installed when the region is onboarded
	// Data is what the region's clusters are meant for. It is checked before
	// the region is onboarded and before every change to its clusters, and the
	// clusters admit no classified data but what may be in the region.
	Data []ClassUse `json:"data,omitempty"`
	// Facts about the region that no catalog has, by name; see RegionFactNames.
	Facts map[string]DataFact `json:"facts,omitempty"`
}

// RegionPhase is where a region is in its life.
type RegionPhase string

// The phases of a region.
const (
	RegionDeclared   RegionPhase = "Declared"
	RegionOnboarding RegionPhase = "Onboarding"
	RegionReady      RegionPhase = "Ready"
	RegionFailed     RegionPhase = "Failed"
	RegionAborted    RegionPhase = "Aborted"
)

// RegionStatus is what is known of a region.
type RegionStatus struct {
	Phase       RegionPhase  `json:"phase,omitempty"`
	Step        string       `json:"step,omitempty"`    // what onboarding does now, in plain words
	Message     string       `json:"message,omitempty"` // why it waits or failed
	Facts       *RegionFacts `json:"facts,omitempty"`
	StartedAt   *time.Time   `json:"startedAt,omitempty"`
	OnboardedAt *time.Time   `json:"onboardedAt,omitempty"`
}

// RegionFacts are a region's properties as its provider's catalog gives them.
type RegionFacts struct {
	Provider      string   `json:"provider"`
	ID            string   `json:"id"`
	DisplayName   string   `json:"displayName,omitempty"`
	City          string   `json:"city,omitempty"`
	Country       string   `json:"country"`               // ISO 3166-1 alpha-2
	Partition     string   `json:"partition"`             // aws, aws-cn, azure, AzureUSGovernment, gcp, …
	Operator      string   `json:"operator"`              // the legal entity that runs it
	Jurisdictions []string `json:"jurisdictions"`         // ISO 3166 countries whose law reaches the operator
	OptIn         bool     `json:"optIn"`                 // must be enabled by the account first
	ReplicaPair   string   `json:"replicaPair,omitempty"` // id of the region geo-redundant stores copy to

	Facts map[string]DataFact `json:"facts,omitempty"` // those of the Region document, when there is one
}

// Name of the region the facts are about.
func (f RegionFacts) Name() string { return f.Provider + "/" + f.ID }

// SplitRegion parts a region's name into provider and cloud id.
func SplitRegion(name string) (provider, id string, ok bool) {
	provider, id, ok = strings.Cut(name, "/")
	return provider, id, ok && provider != "" && id != "" && !strings.Contains(id, "/")
}

// DefaultClusterName is the name of the cluster a region gets when none is
// declared for it: a DNS label made of provider and id.
func DefaultClusterName(region string) string {
	return strings.ReplaceAll(strings.ToLower(region), "/", "-")
}
