package server

import (
	"context"
	"errors"
	"slices"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/inventory"
	"github.com/meridian-fleet/meridian/internal/manifest"
)

// liveException is one that waits for approval or is, or will be, in force.
// What its approvers looked at must stay as it is.
type liveException struct {
	name string
	spec fleet.ExceptionSpec
}

func (s *Server) liveExceptions(ctx context.Context) ([]liveException, error) {
	resources, err := s.Store.List(ctx, fleet.KindException, inventory.Query{})
	if err != nil {
		return nil, err
	}
	var live []liveException
	for _, resource := range resources {
		spec, err := fleet.SpecOf[fleet.ExceptionSpec](resource)
		if err != nil {
			return nil, err
		}
		_, ends, err := s.Rules.Span(spec.Period)
		if err != nil {
			return nil, err
		}
		phase := fleet.ExceptionPhase(phaseOf(resource))
		if (phase == fleet.ExceptionRequested || phase == fleet.ExceptionApproved) && s.Now().Before(ends) {
			live = append(live, liveException{resource.Metadata.Name, spec})
		}
	}
	return live, nil
}

// exceptionFor finds a live exception for one of some subjects.
func (g *guard) exceptionFor(subjects ...fleet.Ref) (liveException, bool) {
	at := slices.IndexFunc(g.exceptions, func(e liveException) bool { return slices.Contains(subjects, e.spec.Subject) })
	if at < 0 {
		return liveException{}, false
	}
	return g.exceptions[at], true
}

// reclassified refuses to make a dataset something else under an exception
// that was asked for what it is, for itself or for a workload that touches it.
func (g *guard) reclassified(document manifest.Document, current, now fleet.DatasetSpec) error {
	if len(g.exceptions) == 0 || sameSet(current.Classes, now.Classes) {
		return nil
	}
	ref := document.Resource.Ref()
	users, err := inventory.Referring(g.ctx, g.Store, ref)
	if err != nil {
		return err
	}
	if exception, found := g.exceptionFor(append(users, ref)...); found {
		g.conflict(document, "spec.classes", "Exception %s was asked for the data as it is classified now", exception.name).
			Advise("have it revoked first, or let it end")
	}
	return nil
}

// widened refuses to let a workload do more under an exception that was asked
// for what it does.
func (g *guard) widened(document manifest.Document, current, now fleet.WorkloadSpec) {
	exception, found := g.exceptionFor(document.Resource.Ref())
	if !found {
		return
	}
	for _, part := range []struct {
		field      string
		more, than []string
	}{{"spec.datasets", usesOf(now), usesOf(current)}, {"spec.classes", classesOf(now), classesOf(current)}} {
		if slices.ContainsFunc(part.more, func(use string) bool { return !slices.Contains(part.than, use) }) {
			g.conflict(document, part.field, "Exception %s was asked for what the workload does now", exception.name).
				Advise("have it revoked first, or let it end")
		}
	}
}

// usesOf lists what a workload does to datasets, one by one.
func usesOf(workload fleet.WorkloadSpec) []string {
	var uses []string
	for _, use := range workload.Datasets {
		for _, facet := range facetsOf(use.Facets) {
			uses = append(uses, string(facet)+" "+use.Dataset)
		}
	}
	return uses
}

func classesOf(workload fleet.WorkloadSpec) []string {
	var uses []string
	for _, use := range workload.Classes {
		for _, class := range use.Classes {
			for _, facet := range facetsOf(use.Facets) {
				uses = append(uses, string(facet)+" "+class)
			}
		}
	}
	return uses
}

// facetsOf: what is done to data when nothing is said is processing.
func facetsOf(facets []fleet.Facet) []fleet.Facet {
	if len(facets) == 0 {
		return []fleet.Facet{fleet.FacetProcessing}
	}
	return facets
}

func sameSet(one, other []string) bool {
	in := func(set []string) func(string) bool {
		return func(value string) bool { return !slices.Contains(set, value) }
	}
	return !slices.ContainsFunc(one, in(other)) && !slices.ContainsFunc(other, in(one))
}

// enlarged refuses to let an exception lead further than its approvers saw, by
// another meaning of a group that its scope names.
func (g *guard) enlarged(document manifest.Document) error {
	now, err := fleet.SpecOf[fleet.JurisdictionGroupSpec](document.Resource)
	if err != nil || len(g.exceptions) == 0 {
		return err
	}
	before, _, err := lastSpec[fleet.JurisdictionGroupSpec](g, document.Resource.Ref())
	if err != nil {
		return err
	}
	more, less := lacks(before.Members, now.Members), lacks(now.Members, before.Members)
	for _, exception := range g.exceptions {
		included, excepted, err := g.groupsIn(&exception.spec.Scope)
		if err != nil {
			return err
		}
		if name := document.Resource.Metadata.Name; more && included[name] || less && excepted[name] {
			g.conflict(document, "spec.members", "Exception %s was asked for places this group has now; it would lead to others", exception.name).
				Advise("have it revoked first, or let it end")
			return nil
		}
	}
	return nil
}

// lacks reports whether some of the members are not among others.
func lacks(others, members []fleet.GroupMember) bool {
	return slices.ContainsFunc(members, func(member fleet.GroupMember) bool {
		return !slices.ContainsFunc(others, func(other fleet.GroupMember) bool {
			return other.Country == member.Country && other.Group == member.Group && other.From == member.From && other.Until == member.Until
		})
	})
}

// groupsIn are the groups that a scope names, and those inside them: the ones
// that make it larger, and the ones it is without.
func (g *guard) groupsIn(scope *fleet.Scope) (included, excepted map[string]bool, err error) {
	included, excepted = map[string]bool{}, map[string]bool{}
	for into, other := included, excepted; scope != nil && err == nil; scope, into, other = scope.Except, other, into {
		for _, name := range scope.Groups {
			err = errors.Join(err, g.groupsInside(name, into))
		}
	}
	return included, excepted, err
}

func (g *guard) groupsInside(name string, into map[string]bool) error {
	if into[name] {
		return nil
	}
	into[name] = true
	group, _, err := lastSpec[fleet.JurisdictionGroupSpec](g, fleet.Ref{Kind: fleet.KindJurisdictionGroup, Name: name})
	for _, member := range group.Members {
		if member.Group != "" && err == nil {
			err = g.groupsInside(member.Group, into)
		}
	}
	return err
}
