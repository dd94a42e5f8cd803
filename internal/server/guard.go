package server

import (
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"slices"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/inventory"
	"github.com/meridian-fleet/meridian/internal/manifest"
)

// guardedKinds are those whose state decides whether a write is a user's to
// make; the write fails when one of them changes in between.
var guardedKinds = append(slices.Clone(judgedKinds), fleet.KindException)

// unobservedKinds are those of which only what is declared decides that:
// regions report all the time while they are onboarded.
var unobservedKinds = []fleet.Kind{fleet.KindRegion}

// heldKinds are those a write of which is looked at.
var heldKinds = append(slices.Clone(judgedKinds), fleet.KindCluster)

// guard looks for acts in documents that take more than the right to write
// their kind, because verdicts rest on them. docs/residency.md lists them.
type guard struct {
	*Server
	ctx        context.Context
	compliance bool // the caller has this role
	exceptions []liveException
	faults     []error
}

// guardWrite reports every act in the documents that is not the caller's, and
// every one that nobody may do now.
func (s *Server) guardWrite(ctx context.Context, documents []manifest.Document) error {
	g := &guard{Server: s, ctx: ctx, compliance: identityOf(ctx).hasAny([]Role{Compliance})}
	var err error
	if g.exceptions, err = s.liveExceptions(ctx); err != nil {
		return err
	}
	for _, document := range documents {
		switch document.Resource.Kind {
		case fleet.KindRegion:
			err = g.region(document)
		case fleet.KindCluster:
			err = g.cluster(document)
		case fleet.KindDataset:
			err = g.dataset(document)
		case fleet.KindWorkload:
			err = g.workload(document)
		case fleet.KindResidencyPolicy:
			err = g.version(document)
		case fleet.KindJurisdictionGroup:
			err = errors.Join(g.version(document), g.enlarged(document))
		}
		if err != nil {
			return err
		}
	}
	return errors.Join(g.faults...)
}

// needsCompliance notes an act that only a compliance officer may do.
func (g *guard) needsCompliance(document manifest.Document, field, act string) {
	if g.compliance {
		return
	}
	fault := document.Fault(field, "%s is not for %s to say", act, actor(g.ctx)).Advise("%s", takes([]Role{Compliance}))
	fault.Kind = fleet.ErrDenied
	g.faults = append(g.faults, fault)
}

func (g *guard) conflict(document manifest.Document, field, format string, arguments ...any) *fleet.Error {
	fault := document.Fault(field, format, arguments...)
	fault.Kind = fleet.ErrConflict
	g.faults = append(g.faults, fault)
	return fault
}

// region: what a region is meant for and what is vouched for it decides which
// data it gets.
func (g *guard) region(document manifest.Document) error {
	now, err := fleet.SpecOf[fleet.RegionSpec](document.Resource)
	if err != nil {
		return err
	}
	before, _, err := lastSpec[fleet.RegionSpec](g, document.Resource.Ref())
	if err != nil {
		return err
	}
	if !same(before.Data, now.Data) {
		g.needsCompliance(document, "spec.data", "which data a region is meant for")
	}
	if !same(before.Facts, now.Facts) {
		g.needsCompliance(document, "spec.facts", "what is so about a region")
	}
	return nil
}

// cluster: what runs in a cluster is judged by the region its document names,
// so the document cannot come to name another one.
func (g *guard) cluster(document manifest.Document) error {
	now, err := fleet.SpecOf[fleet.ClusterSpec](document.Resource)
	if err != nil {
		return err
	}
	before, alive, err := lastSpec[fleet.ClusterSpec](g, document.Resource.Ref())
	if err == nil && alive && before.Region != now.Region {
		g.conflict(document, "spec.region", "it is in %s; a cluster never moves", before.Region).
			Advise("declare another cluster in %s", now.Region)
	}
	return err
}

// since is when a document became true. It tells of the past, which is not
// for everybody to rewrite, also not by another text since the same day, and
// never of the future: that would be a change nobody judges when it comes.
func (g *guard) since(document manifest.Document, now string, unchanged bool) error {
	if now == "" || unchanged {
		return nil
	}
	begins, _, err := g.Rules.Span(fleet.Period{From: now})
	switch {
	case err != nil:
		return err
	case begins.After(g.Now()):
		g.faults = append(g.faults, document.Fault("spec.since", "%s is not yet; say what is true when it is", now))
	default:
		g.needsCompliance(document, "spec.since", "what was true in the past")
	}
	return nil
}

// version keeps one version one text, for ever: verdicts name it.
func (g *guard) version(document manifest.Document) error {
	ref := document.Resource.Ref()
	history, err := g.Store.History(g.ctx, ref)
	if errors.Is(err, fleet.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	version := versionOf(document.Resource)
	for _, change := range history {
		if change.After == nil || versionOf(*change.After) != version || sameJSON(change.After.Spec, document.Resource.Spec) {
			continue
		}
		g.faults = append(g.faults, document.Fault("spec.version", "version %q was recorded on %s with another text; a version never changes",
			version, change.At.Format("2006-01-02")).Advise("give the new text a new version"))
		return nil
	}
	return nil
}

func versionOf(resource fleet.Resource) string {
	spec, err := fleet.SpecOf[struct{ Version string }](resource)
	if err != nil {
		return "" // no text of ours: nothing to compare with
	}
	return spec.Version
}

// lastSpec is what is recorded of a resource: as it is, or as it was before it
// was deleted. Without either it is the zero value.
func lastSpec[Spec any](g *guard, ref fleet.Ref) (spec Spec, alive bool, err error) {
	resource, err := g.Store.Get(g.ctx, ref, inventory.AsOf{})
	if err == nil {
		spec, err = fleet.SpecOf[Spec](resource)
		return spec, true, err
	}
	if !errors.Is(err, fleet.ErrNotFound) {
		return spec, false, err
	}
	history, err := g.Store.History(g.ctx, ref)
	if errors.Is(err, fleet.ErrNotFound) || err == nil && len(history) == 0 {
		return spec, false, nil
	}
	if err != nil {
		return spec, false, err
	}
	if last := history[len(history)-1]; last.Before != nil {
		spec, err = fleet.SpecOf[Spec](*last.Before)
	}
	return spec, false, err
}

// same compares values as documents: an absent list is an empty one.
func same(one, other any) bool {
	first, errFirst := json.Marshal(one)
	second, errSecond := json.Marshal(other)
	if errFirst != nil || errSecond != nil {
		return false
	}
	return sameJSON(first, second)
}

func sameJSON(one, other json.RawMessage) bool {
	var first, second any
	if json.Unmarshal(one, &first) != nil || json.Unmarshal(other, &second) != nil {
		return len(one) == 0 && len(other) == 0
	}
	return reflect.DeepEqual(orNothing(first), orNothing(second))
}

// orNothing makes empty objects and lists what absent ones are.
func orNothing(value any) any {
	switch value := value.(type) {
	case map[string]any:
		if len(value) == 0 {
			return nil
		}
	case []any:
		if len(value) == 0 {
			return nil
		}
	}
	return value
}
