package enforce

import (
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/residency"
)

// Compiler compiles one set of policies as it is at one instant. It is safe
// for concurrent use.
type Compiler struct {
	input     Input
	rulebook  *residency.Rulebook
	rules     *residency.Compiled
	policies  []policy // in force, by name
	upcoming  []policy // that begin later
	classes   []string // declared, sorted
	subjects  map[string]residency.Subject
	workloads map[string]Workload

	once     sync.Once
	later    []moment // see laws
	laterErr error
}

// policy is a residency policy and its period.
type policy struct {
	name string
	spec fleet.ResidencyPolicySpec
	zone *time.Location
	from time.Time
}

// New reads the documents and compiles them for the input's instant.
func New(input Input) (*Compiler, error) {
	if input.Catalog == nil {
		return nil, fleet.Errorf(fleet.ErrInternal, "no catalog of regions")
	}
	if input.At.IsZero() {
		return nil, fleet.Errorf(fleet.ErrInvalid, "no instant").At(fleet.Position{}, "at")
	}
	rulebook, err := residency.NewRulebook(input.Documents)
	if err != nil {
		return nil, err
	}
	rules, err := rulebook.Compile(input.Catalog, input.At)
	if err != nil {
		return nil, err
	}
	c := &Compiler{input: input, rulebook: rulebook, rules: rules}
	if err := c.read(); err != nil {
		return nil, err
	}
	return c, nil
}

// read indexes the documents. Of several versions the latest counts; of a
// policy the latest that has begun.
func (c *Compiler) read() error {
	policies, upcoming, classes := map[string]policy{}, map[string]policy{}, map[string]bool{}
	var faults []error
	for _, document := range c.input.Documents {
		switch document.Kind {
		case fleet.KindDataClass:
			classes[document.Metadata.Name] = true
		case fleet.KindResidencyPolicy:
			found, err := readPolicy(document)
			faults = append(faults, err)
			if err == nil && found.from.After(c.input.At) {
				upcoming[found.name] = found
			} else if err == nil {
				policies[found.name] = found
			}
		}
	}
	c.classes = slices.Sorted(maps.Keys(classes))
	c.upcoming = sorted(upcoming)
	for _, found := range sorted(policies) {
		covers, err := residency.Covers(found.spec.Effective, found.zone, c.input.At)
		faults = append(faults, err)
		if covers {
			c.policies = append(c.policies, found)
		}
	}
	return errors.Join(append(faults, c.readSubjects())...)
}

func readPolicy(document fleet.Resource) (policy, error) {
	spec, err := fleet.SpecOf[fleet.ResidencyPolicySpec](document)
	if err != nil {
		return policy{}, err
	}
	found := policy{name: document.Metadata.Name, spec: spec, zone: time.UTC}
	if spec.TimeZone != "" {
		if found.zone, err = time.LoadLocation(spec.TimeZone); err != nil {
			return found, fleet.Errorf(fleet.ErrInvalid, "%q is no time zone", spec.TimeZone).On(document.Ref().String()).At(fleet.Position{}, "spec.timeZone")
		}
	}
	found.from, err = residency.Begins(spec.Effective, found.zone)
	return found, err
}

func sorted(policies map[string]policy) []policy {
	var list []policy
	for _, name := range slices.Sorted(maps.Keys(policies)) {
		list = append(list, policies[name])
	}
	return list
}
