package residency

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// checkClassCycles finds classes that inherit from themselves, also by way of
// others.
func (r *Rulebook) checkClassCycles() error {
	next := map[string][]string{}
	for name, spec := range r.classes {
		next[name] = append(slices.Clone(spec.Inherits), r.prefixes(name)...)
	}
	return cycles(next, fleet.KindDataClass, "spec.inherits", "inherits from itself")
}

// checkGroupCycles finds groups that are members of themselves, at whatever
// time.
func (r *Rulebook) checkGroupCycles() error {
	next := map[string][]string{}
	for name, group := range r.groups {
		for _, member := range group.spec.Members {
			if member.Group != "" {
				next[name] = append(next[name], member.Group)
			}
		}
	}
	return cycles(next, fleet.KindJurisdictionGroup, "spec.members", "is a member of itself")
}

// cycles reports every cycle of a graph of names once.
func cycles(next map[string][]string, kind fleet.Kind, field, fault string) error {
	names := make([]string, 0, len(next))
	for name := range next {
		names = append(names, name)
	}
	slices.Sort(names)
	done := map[string]bool{}
	var faults []error
	var visit func(name string, path []string)
	visit = func(name string, path []string) {
		if at := slices.Index(path, name); at >= 0 {
			through := append(slices.Clone(path[at:]), name)
			faults = append(faults, fleet.Errorf(fleet.ErrInvalid, "it %s: %s", fault, strings.Join(through, " → ")).
				On(fmt.Sprintf("%s %s", kind, name)).At(fleet.Position{}, field))
			return
		}
		if done[name] {
			return
		}
		for _, other := range next[name] {
			visit(other, append(path, name))
		}
		done[name] = true
	}
	for _, name := range names {
		visit(name, nil)
	}
	return errors.Join(faults...)
}
