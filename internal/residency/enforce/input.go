package enforce

import (
	"slices"
	"strings"
	"time"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/residency"
)

// The targets.
const (
	TargetAWS        = "aws"
	TargetGCP        = "gcp"
	TargetAzure      = "azure"
	TargetKubernetes = "kubernetes"
)

// Targets lists the targets.
var Targets = []string{TargetAWS, TargetGCP, TargetAzure, TargetKubernetes}

// placeFacets are the facets a cloud's own policies can keep, because they
// refuse to make something at a place.
var placeFacets = []fleet.Facet{fleet.FacetStorage, fleet.FacetProcessing, fleet.FacetKey, fleet.FacetBackup, fleet.FacetReplica}

// Input is what is compiled.
type Input struct {
	// Documents are the ResidencyPolicies, JurisdictionGroups and DataClasses.
	// Datasets, Workloads and Exceptions among them can be named below; other
	// kinds are ignored.
	Documents []fleet.Resource
	Catalog   *residency.Catalog
	At        time.Time

	// What the account, project or subscription is for: data of these classes,
	// and these datasets. A cluster is for everything that is declared.
	Classes  []string
	Datasets []string
	// Facets are what is done there; all that a cloud can keep when empty:
	// storage, processing, key, backup and replica.
	Facets []fleet.Facet

	// Subjects and Workloads, when not nil, stand for those among the
	// documents: with what is known of them besides.
	Subjects  []residency.Subject
	Workloads []Workload

	AWS        AWS
	GCP        GCP
	Azure      Azure
	Kubernetes Kubernetes
}

// Workload is what an application team runs, ready to be judged.
type Workload struct {
	Name       string
	Classes    []string // all classes it handles
	Uses       []Use
	Exceptions []residency.Exception
}

// Use is what a workload does to one dataset, or to data of some classes.
type Use struct {
	Subject residency.Subject
	Facets  []fleet.Facet
}

// AWS are settings of the aws target.
type AWS struct {
	Partition string // of the account: aws, aws-cn, aws-us-gov, aws-eusc; aws when empty
	// BreakGlass are ARN patterns of roles that the policies do not hold for,
	// arn:aws:iam::*:role/break-glass.
	BreakGlass []string
	// GlobalServices are actions besides those of identity, billing, support
	// and DNS that may be called at their global endpoints: cloudfront:*.
	GlobalServices []string
}

// GCP are settings of the gcp target.
type GCP struct {
	Resource string // organizations/NUMBER, folders/NUMBER or projects/ID
}

// Azure are settings of the azure target.
type Azure struct {
	Partition       string // of the subscription: azure, AzureUSGovernment, AzureChinaCloud; azure when empty
	ManagementGroup bool   // the template is deployed to a management group and not to a subscription
}

// Kubernetes are settings of the kubernetes target.
type Kubernetes struct {
	Region           string   // PROVIDER/ID of the cluster
	StorageClasses   []string // those classified data may be stored by; the generated one when empty
	SystemNamespaces []string // left alone, besides Kubernetes' and Meridian's own
	RefuseUnlabelled bool     // in every namespace and not only in those that say so
}

// Output is a compilation.
type Output struct {
	Files    []File
	Residual []Residual
}

// File is one file of an output.
type File struct {
	Path    string // relative, with slashes
	Content []byte
}

// Residual is a clause the target does not keep. Without Policy it is about
// the target as a whole, without Facet about all facets of the rule.
type Residual struct {
	Policy string      `json:"policy,omitempty"`
	Rule   string      `json:"rule,omitempty"`
	Facet  fleet.Facet `json:"facet,omitempty"`
	Reason string      `json:"reason"`
}

// Compile compiles policies for one target. Faults of the documents and of the
// settings are ErrInvalid; what the target has no room for is ErrInvalid with
// a hint.
func Compile(input Input, target string) (Output, error) {
	compiler, err := New(input)
	if err != nil {
		return Output{}, err
	}
	switch target {
	case TargetAWS:
		return compiler.aws()
	case TargetGCP:
		return compiler.gcp()
	case TargetAzure:
		return compiler.azure()
	case TargetKubernetes:
		return compiler.kubernetes()
	}
	return Output{}, fleet.Errorf(fleet.ErrInvalid, "%q is no target", target).
		At(fleet.Position{}, "target").Advise("want one of %s", strings.Join(Targets, ", "))
}

// keeps are the facets the input is about that a cloud can keep.
func (in Input) keeps() ([]fleet.Facet, error) {
	if len(in.Facets) == 0 {
		return placeFacets, nil
	}
	for _, facet := range in.Facets {
		if !slices.Contains(placeFacets, facet) {
			return nil, fleet.Errorf(fleet.ErrInvalid, "a cloud's policies cannot keep the facet %q", facet).
				At(fleet.Position{}, "facets").Advise("want some of storage, processing, key, backup, replica")
		}
	}
	return slices.DeleteFunc(slices.Clone(placeFacets), func(f fleet.Facet) bool { return !slices.Contains(in.Facets, f) }), nil
}
