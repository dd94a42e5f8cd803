package residency

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// Rulebook is a set of residency policies, jurisdiction groups and data
// classes. It is immutable.
type Rulebook struct {
	policies []*policyHistory // in the order their names first appeared
	groups   map[string]*group
	classes  map[string]fleet.DataClassSpec
	names    []string // of classes, sorted
}

// policyHistory is what was recorded of one policy, the latest last.
type policyHistory struct {
	name     string
	versions []*policyVersion
}

// policyVersion is one text of a policy.
type policyVersion struct {
	name  string
	spec  fleet.ResidencyPolicySpec
	zone  *time.Location
	began time.Time
	ended time.Time // zero: open
	rules []*rule
}

// rule is one rule of a policy version.
type rule struct {
	policy *policyVersion
	index  int
	spec   *fleet.Rule
	kind   fleet.RuleKind
	id     string // POLICY/RULE
	when   *expression
	within limit
	began  time.Time // its policy's period and its own together
	ended  time.Time
}

// group is a jurisdiction group with its members' periods.
type group struct {
	name    string
	spec    fleet.JurisdictionGroupSpec
	members []member
}

type member struct {
	*fleet.GroupMember
	began, ended time.Time
}

// NewRulebook reads the ResidencyPolicy, JurisdictionGroup and DataClass
// documents among the resources, which are in the order they were recorded;
// other kinds are ignored. Documents of one name are versions of it. All
// faults are reported, joined, each a *fleet.Error with Object and Field.
func NewRulebook(resources []fleet.Resource) (*Rulebook, error) {
	book := &Rulebook{groups: map[string]*group{}, classes: map[string]fleet.DataClassSpec{}}
	var faults []error
	for _, resource := range resources {
		faults = append(faults, book.add(resource))
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	if err := errors.Join(book.checkClassCycles(), book.checkGroupCycles()); err != nil {
		return nil, err
	}
	for name := range book.classes {
		book.names = append(book.names, name)
	}
	slices.Sort(book.names)
	return book, nil
}

func (r *Rulebook) add(resource fleet.Resource) error {
	object := resource.Ref().String()
	switch resource.Kind {
	case fleet.KindResidencyPolicy:
		spec, err := fleet.SpecOf[fleet.ResidencyPolicySpec](resource)
		if err != nil {
			return err
		}
		problems, conditions := validatePolicy(resource.Metadata.Name, spec)
		if err := joined(object, problems); err != nil {
			return err
		}
		return r.addPolicy(resource.Metadata.Name, spec, conditions)
	case fleet.KindJurisdictionGroup:
		spec, err := fleet.SpecOf[fleet.JurisdictionGroupSpec](resource)
		if err != nil {
			return err
		}
		if err := joined(object, ValidateGroup(spec)); err != nil {
			return err
		}
		return r.addGroup(resource.Metadata.Name, spec)
	case fleet.KindDataClass:
		spec, err := fleet.SpecOf[fleet.DataClassSpec](resource)
		if err != nil {
			return err
		}
		r.classes[resource.Metadata.Name] = spec
		return joined(object, ValidateClass(spec))
	}
	return nil
}

func (r *Rulebook) addPolicy(name string, spec fleet.ResidencyPolicySpec, conditions []*expression) error {
	version := &policyVersion{name: name, spec: spec}
	var err error
	if version.zone, err = zoneOf(spec.TimeZone); err != nil {
		return err
	}
	if version.began, version.ended, err = ends(spec.Effective, version.zone); err != nil {
		return err
	}
	for i := range spec.Rules {
		parsed, err := version.rule(i, conditions[i])
		if err != nil {
			return err
		}
		version.rules = append(version.rules, parsed)
	}
	history := r.history(name)
	history.versions = append(history.versions, version)
	return nil
}

func (r *Rulebook) history(name string) *policyHistory {
	for _, history := range r.policies {
		if history.name == name {
			return history
		}
	}
	history := &policyHistory{name: name}
	r.policies = append(r.policies, history)
	return history
}

func (v *policyVersion) rule(index int, when *expression) (*rule, error) {
	spec := &v.spec.Rules[index]
	parsed := &rule{policy: v, index: index, spec: spec, kind: spec.Kind(), id: v.name + "/" + spec.Name, when: when, began: v.began, ended: v.ended}
	if spec.Obligation != nil {
		within, err := parseLimit(spec.Obligation.Within)
		if err != nil {
			return nil, err
		}
		parsed.within = within
	}
	if spec.Effective == nil {
		return parsed, nil
	}
	began, ended, err := ends(*spec.Effective, v.zone)
	if err != nil {
		return nil, err
	}
	if began.After(parsed.began) {
		parsed.began = began
	}
	if parsed.ended.IsZero() || !ended.IsZero() && ended.Before(parsed.ended) {
		parsed.ended = ended
	}
	return parsed, nil
}

func (r *Rulebook) addGroup(name string, spec fleet.JurisdictionGroupSpec) error {
	parsed := &group{name: name, spec: spec}
	for i := range spec.Members {
		began, ended, err := ends(fleet.Period{From: spec.Members[i].From, Until: spec.Members[i].Until}, time.UTC)
		if err != nil {
			return err
		}
		parsed.members = append(parsed.members, member{GroupMember: &spec.Members[i], began: began, ended: ended})
	}
	r.groups[name] = parsed
	return nil
}

// ends are both ends of a period.
func ends(period fleet.Period, zone *time.Location) (began, ended time.Time, err error) {
	if began, err = Begins(period, zone); err != nil {
		return began, ended, err
	}
	ended, err = Ends(period, zone)
	return began, ended, err
}

// during reports whether an instant is between two ends.
func during(began, ended, at time.Time) bool {
	return !at.Before(began) && (ended.IsZero() || at.Before(ended))
}

// lawAt is the version of a policy that counts at an instant: the latest
// recorded one that has begun, also if it has ended meanwhile. Nil: none.
func (h *policyHistory) lawAt(at time.Time) *policyVersion {
	for _, version := range slices.Backward(h.versions) {
		if !at.Before(version.began) {
			return version
		}
	}
	return nil
}

// ancestors are the classes a declared class is: itself, each declared class
// its dotted name begins with, those it inherits from, and theirs. Names in
// unknown are inherited ones nobody declared.
func (r *Rulebook) ancestors(class string) (all, unknown []string) {
	pending := []string{class}
	for len(pending) > 0 {
		name := pending[0]
		pending = pending[1:]
		if slices.Contains(all, name) || slices.Contains(unknown, name) {
			continue
		}
		spec, declared := r.classes[name]
		if !declared {
			unknown = append(unknown, name)
			continue
		}
		all = append(all, name)
		pending = append(append(pending, spec.Inherits...), r.prefixes(name)...)
	}
	return all, unknown
}

// prefixes are the declared classes a dotted name begins with.
func (r *Rulebook) prefixes(name string) (declared []string) {
	for dot := strings.LastIndexByte(name, '.'); dot >= 0; dot = strings.LastIndexByte(name, '.') {
		name = name[:dot]
		if _, ok := r.classes[name]; ok {
			declared = append(declared, name)
		}
	}
	return declared
}

// Classes are all classes that data of some classes are, with inherited ones,
// and the names nobody declared.
func Classes(r *Rulebook, names []string) (all, unknown []string) {
	for _, name := range names {
		theirs, missing := r.ancestors(name)
		all, unknown = append(all, theirs...), append(unknown, missing...)
	}
	slices.Sort(all)
	slices.Sort(unknown)
	return slices.Compact(all), slices.Compact(unknown)
}
