package casefile

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/residency"
)

// records are documents by what cases ask of them.
type records struct {
	documents  []document
	resources  []fleet.Resource
	datasets   map[string][]version[fleet.DatasetSpec]
	workloads  map[string][]version[fleet.WorkloadSpec]
	regions    map[string]fleet.RegionSpec
	exceptions []residency.Exception
	rules      []rule
	incomplete bool // some could not be read: a name that is missing may be among them
}

// version is what a document said of its subject from an instant on; zero is
// the beginning.
type version[Spec any] struct {
	since time.Time
	spec  Spec
}

// newRecords sorts documents that were read strictly, so that their parts can
// be decoded.
func newRecords(documents []document) records {
	r := records{
		documents: documents,
		datasets:  map[string][]version[fleet.DatasetSpec]{},
		workloads: map[string][]version[fleet.WorkloadSpec]{},
		regions:   map[string]fleet.RegionSpec{},
		rules:     rulesOf(documents),
	}
	for _, document := range documents {
		r.resources = append(r.resources, document.resource)
		r.sort(document.resource)
	}
	return r
}

func (r *records) sort(resource fleet.Resource) {
	name := resource.Metadata.Name
	switch resource.Kind {
	case fleet.KindDataset:
		if spec, err := fleet.SpecOf[fleet.DatasetSpec](resource); err == nil {
			r.datasets[name] = append(r.datasets[name], newVersion(spec, spec.Since))
		}
	case fleet.KindWorkload:
		if spec, err := fleet.SpecOf[fleet.WorkloadSpec](resource); err == nil {
			r.workloads[name] = append(r.workloads[name], newVersion(spec, spec.Since))
		}
	case fleet.KindRegion:
		if spec, err := fleet.SpecOf[fleet.RegionSpec](resource); err == nil {
			r.regions[name] = spec
		}
	case fleet.KindException:
		r.except(resource)
	}
}

func (r *records) except(resource fleet.Resource) {
	exception := residency.Exception{Name: resource.Metadata.Name}
	if json.Unmarshal(resource.Spec, &exception.Spec) == nil && json.Unmarshal(resource.Status, &exception.Status) == nil {
		r.exceptions = append(r.exceptions, exception)
	}
}

func newVersion[Spec any](spec Spec, since string) version[Spec] {
	begun, err := residency.ParseInstant(since)
	if err != nil {
		begun = time.Time{}
	}
	return version[Spec]{since: begun, spec: spec}
}

// versionAt is what was true at an instant: of the versions that had begun, the
// one recorded last.
func versionAt[Spec any](versions []version[Spec], at time.Time) (spec Spec, found bool) {
	for _, version := range slices.Backward(versions) {
		if !version.since.After(at) {
			return version.spec, true
		}
	}
	return spec, false
}

// locate gives faults about documents their places in the files.
func (r records) locate(err error) error {
	var located []error
	for _, fault := range flatten(err) {
		for _, document := range r.documents {
			if fault.Position.Line == 0 && document.resource.Ref().String() == fault.Object {
				fault.Position = document.at(fault.Field)
			}
		}
		located = append(located, fault)
	}
	return inOrder(located...)
}

// zone is the time zone of the policy that a rule, POLICY/RULE, is of.
func (r records) zone(id string) *time.Location {
	for _, rule := range slices.Backward(r.rules) {
		if rule.id == id {
			return rule.zone
		}
	}
	return time.UTC
}

// rule is a rule and where its policy was written.
type rule struct {
	id       string // POLICY/RULE
	zone     *time.Location
	position fleet.Position
}

// rulesOf lists the rules of all policies among documents.
func rulesOf(documents []document) []rule {
	var rules []rule
	for _, document := range documents {
		if document.resource.Kind != fleet.KindResidencyPolicy {
			continue
		}
		policy, err := fleet.SpecOf[fleet.ResidencyPolicySpec](document.resource)
		if err != nil {
			continue
		}
		zone, err := time.LoadLocation(policy.TimeZone)
		if err != nil {
			zone = time.UTC
		}
		for i, r := range policy.Rules {
			id := document.resource.Metadata.Name + "/" + r.Name
			rules = append(rules, rule{id: id, zone: zone, position: document.at(ruleField(i))})
		}
	}
	return rules
}
