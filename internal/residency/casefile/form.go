package casefile

import (
	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/manifest"
)

// KindCases is the kind of a document with cases. It is no resource: cases are
// run, not applied.
const KindCases fleet.Kind = "ResidencyCases"

// form is a case file as written.
type form struct {
	APIVersion string          `json:"apiVersion"` // optional
	Kind       fleet.Kind      `json:"kind"`
	Use        []string        `json:"use"`       // files and folders of documents, relative to the case file
	Documents  []manifest.Part `json:"documents"` // more of them, in place
	Catalog    []regionForm    `json:"catalog"`
	At         string          `json:"at"` // of every case without its own
	Cases      []caseForm      `json:"cases"`
}

// regionForm is a region the catalog lacks, or what it says otherwise of one it
// has: what is absent stays.
type regionForm struct {
	Provider      string                    `json:"provider"`
	ID            string                    `json:"id"`
	DisplayName   *string                   `json:"displayName"`
	City          *string                   `json:"city"`
	Country       *string                   `json:"country"`
	Partition     *string                   `json:"partition"`
	Operator      *string                   `json:"operator"`
	Jurisdictions []string                  `json:"jurisdictions"`
	OptIn         *bool                     `json:"optIn"`
	ReplicaPair   *string                   `json:"replicaPair"` // "" takes the pair away
	Facts         map[string]fleet.DataFact `json:"facts"`
}

// caseForm is one situation and what must come of it.
type caseForm struct {
	Name         string                    `json:"name"`
	Note         string                    `json:"note"` // why, for readers
	At           string                    `json:"at"`
	Subject      subjectForm               `json:"subject"`
	Facts        map[string]fleet.DataFact `json:"facts"`
	Instruments  []fleet.Instrument        `json:"instruments"`
	Copies       []copyForm                `json:"copies"`
	Exceptions   []exceptionForm           `json:"exceptions"`
	Facet        fleet.Facet               `json:"facet"`
	Facets       []fleet.Facet             `json:"facets"`
	Region       string                    `json:"region"`
	Regions      []string                  `json:"regions"`
	GeoRedundant bool                      `json:"geoRedundant"`
	Pair         string                    `json:"pair"`
	Source       fleet.FactSource          `json:"source"`  // how the place is known; absent: it is hypothetical
	Leaving      []string                  `json:"leaving"` // regions whose copies would be gone
	Expect       expectForm                `json:"expect"`
}

// subjectForm is what a case is about: one of the three.
type subjectForm struct {
	Classes  []string `json:"classes"` // [] is unclassified data
	Dataset  string   `json:"dataset"`
	Workload string   `json:"workload"`
}

// copyForm is a place where the subject is besides.
type copyForm struct {
	Facets       []fleet.Facet    `json:"facets"`
	Region       string           `json:"region"`
	GeoRedundant bool             `json:"geoRedundant"`
	Pair         string           `json:"pair"`
	Source       fleet.FactSource `json:"source"` // how the place is known; declared when absent
	From         string           `json:"from"`
	Until        string           `json:"until"`
}

// exceptionForm is an exception with what became of it.
type exceptionForm struct {
	Name        string           `json:"name"`
	Policy      string           `json:"policy"`
	Rule        string           `json:"rule"`
	Subject     fleet.Ref        `json:"subject"` // the case's own when absent
	Facets      []fleet.Facet    `json:"facets"`
	Scope       fleet.Scope      `json:"scope"`
	From        string           `json:"from"`
	Until       string           `json:"until"`
	Reason      string           `json:"reason"`
	Reference   string           `json:"reference"`
	RequestedBy string           `json:"requestedBy"` // "requester" when absent
	RequestedAt string           `json:"requestedAt"`
	Approvals   []fleet.Approval `json:"approvals"`
	RevokedBy   string           `json:"revokedBy"`
	RevokedAt   string           `json:"revokedAt"`
}

// expectForm is what must come out, for each facet and region of the case.
// What is absent (not empty) is not compared; the verdict always is.
type expectForm struct {
	Verdict      string            `json:"verdict"` // allowed or denied
	Deciding     []string          `json:"deciding"`
	Suspended    []string          `json:"suspended"`
	Obligations  []string          `json:"obligations"`
	Unsure       []string          `json:"unsure"`
	Due          map[string]string `json:"due"` // POLICY/RULE to the day or instant its obligation is due
	Exceptions   []string          `json:"exceptions"`
	Alternatives *alternativesForm `json:"alternatives"`
}

// alternativesForm is about what would make the answer a yes.
type alternativesForm struct {
	Kinds    []fleet.AlternativeKind `json:"kinds"`    // each is offered; []: nothing is
	Without  []fleet.AlternativeKind `json:"without"`  // none of them is offered
	Includes []string                `json:"includes"` // regions that are named
	Excludes []string                `json:"excludes"` // regions that are not
}

// verdicts are the words for an answer.
const (
	verdictAllowed = "allowed"
	verdictDenied  = "denied"
)
