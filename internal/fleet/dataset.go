package fleet

import "encoding/json"

// DatasetSpec is named data: what it is and where it is.
type DatasetSpec struct {
	Title   string   `json:"title,omitempty"`
	Classes []string `json:"classes"`
	// Facts about the data by name; the documented names only.
	Facts       map[string]DataFact `json:"facts,omitempty"`
	Bindings    []Binding           `json:"bindings,omitempty"`
	Instruments []Instrument        `json:"instruments,omitempty"`
	// Since is when what changed in this document became true, as Period.From;
	// absent: when it was recorded. Set it to correct the past.
	Since string `json:"since,omitempty"`
}

// DataFact is one fact about data.
type DataFact struct {
	Value     json.RawMessage `json:"value"`            // text, number, truth value or list of texts
	Source    FactSource      `json:"source,omitempty"` // declared when empty
	Reference string          `json:"reference,omitempty"`
	From      string          `json:"from,omitempty"` // as in Period
	Until     string          `json:"until,omitempty"`
}

// Binding is a real store, key ring or team that has the data.
type Binding struct {
	Name   string  `json:"name"`
	Facets []Facet `json:"facets"`
	Region string  `json:"region"`          // PROVIDER/ID, or country/XX for people and places outside clouds
	Store  string  `json:"store,omitempty"` // s3://bucket, projects/…/keyRings/…
	// GeoRedundant stores are in the region and in its replica pair.
	GeoRedundant bool   `json:"geoRedundant,omitempty"`
	Pair         string `json:"pair,omitempty"` // PROVIDER/ID of the second region, when it is not the cloud's own pair
	// Existing says that the store is there already: it is recorded as found
	// and audited. A new binding without it is an act and needs a verdict.
	Existing bool       `json:"existing,omitempty"`
	Source   FactSource `json:"source,omitempty"` // how the place is known; declared when empty
	From     string     `json:"from,omitempty"`   // as in Period
	Until    string     `json:"until,omitempty"`
}

// Instrument is a legal basis the controller has for transfers of a dataset.
type Instrument struct {
	Name         string        `json:"name"`
	Basis        TransferBasis `json:"basis"`
	Counterparty string        `json:"counterparty,omitempty"` // who it is with; then it covers only places that operator runs
	To           *Scope        `json:"to,omitempty"`           // where it leads; anywhere when absent
	Source       FactSource    `json:"source,omitempty"`       // declared when empty
	Reference    string        `json:"reference,omitempty"`    // where the paper is
	From         string        `json:"from,omitempty"`         // as in Period
	Until        string        `json:"until,omitempty"`
}

// WorkloadSpec is what an application team runs, and the data it touches.
type WorkloadSpec struct {
	Title    string       `json:"title,omitempty"`
	Datasets []DatasetUse `json:"datasets,omitempty"`
	// Classes of data it handles that belong to no dataset.
	Classes []ClassUse `json:"classes,omitempty"`
	Regions []string   `json:"regions,omitempty"` // where it is to run; a new one is an act and needs a verdict
	Since   string     `json:"since,omitempty"`   // as in DatasetSpec
}

// DatasetUse is what a workload does to a dataset where it runs.
type DatasetUse struct {
	Dataset string  `json:"dataset"`
	Facets  []Facet `json:"facets,omitempty"` // processing when empty
}

// ClassUse is what is done to data of some classes.
type ClassUse struct {
	Classes []string `json:"classes"`
	Facets  []Facet  `json:"facets,omitempty"` // processing when empty
}

// PlacementSpec is where data or a workload was found to be. Meridian records
// it; what people declare stands in bindings.
type PlacementSpec struct {
	Subject      Ref        `json:"subject"`           // Dataset or Workload; empty name when only classes are known
	Classes      []string   `json:"classes,omitempty"` // as labelled where it was found
	Facets       []Facet    `json:"facets"`
	Region       string     `json:"region"`
	Cluster      string     `json:"cluster,omitempty"`
	Store        string     `json:"store,omitempty"` // Pod namespace/name, PersistentVolumeClaim namespace/name, s3://…
	GeoRedundant bool       `json:"geoRedundant,omitempty"`
	Pair         string     `json:"pair,omitempty"`
	Source       FactSource `json:"source"`
	From         string     `json:"from"`
	Until        string     `json:"until,omitempty"`
}

// ExceptionSpec suspends one named deny for one subject and scope. It never
// changes a rule.
type ExceptionSpec struct {
	Policy    string  `json:"policy"`
	Rule      string  `json:"rule"`
	Subject   Ref     `json:"subject"` // Dataset or Workload
	Facets    []Facet `json:"facets"`
	Scope     Scope   `json:"scope"` // where
	Period            // until is needed; never before the second approval
	Reason    string  `json:"reason"`
	Reference string  `json:"reference,omitempty"` // of the risk decision
}

// ExceptionPhase is where an exception is in its life. Whether an approved one
// is in force is a matter of its period.
type ExceptionPhase string

// The phases of an exception.
const (
	ExceptionRequested ExceptionPhase = "Requested"
	ExceptionApproved  ExceptionPhase = "Approved"
	ExceptionRevoked   ExceptionPhase = "Revoked"
)

// ExceptionStatus is who did what about an exception, and when (RFC 3339).
type ExceptionStatus struct {
	Phase       ExceptionPhase `json:"phase"`
	RequestedBy string         `json:"requestedBy"`
	RequestedAt string         `json:"requestedAt"`
	Approvals   []Approval     `json:"approvals,omitempty"`
	ApprovedAt  string         `json:"approvedAt,omitempty"` // of the approval that completed it
	RevokedBy   string         `json:"revokedBy,omitempty"`
	RevokedAt   string         `json:"revokedAt,omitempty"`
	Message     string         `json:"message,omitempty"` // why it was revoked
}

// Approval is one person's consent.
type Approval struct {
	By      string `json:"by"`
	At      string `json:"at"`
	Comment string `json:"comment,omitempty"`
}

// NeededApprovals is how many different people, none of them the requester,
// must approve an exception.
const NeededApprovals = 2
