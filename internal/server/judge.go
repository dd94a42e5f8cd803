package server

import (
	"context"
	"errors"
	"slices"

	"google.golang.org/protobuf/types/known/structpb"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/inventory"
	"github.com/meridian-fleet/meridian/internal/manifest"
)

// ruleKinds are those that policies are made of.
var ruleKinds = []fleet.Kind{fleet.KindResidencyPolicy, fleet.KindJurisdictionGroup, fleet.KindDataClass}

// placedKinds are those that say where data is, or is to be.
var placedKinds = []fleet.Kind{fleet.KindDataset, fleet.KindWorkload}

func concerns(documents []manifest.Document, kinds []fleet.Kind) bool {
	return slices.ContainsFunc(documents, func(d manifest.Document) bool { return slices.Contains(kinds, d.Resource.Kind) })
}

// review warns about rules as they would be with the documents, of exceptions
// that they give another meaning, and of places that they would make unlawful.
// None of that refuses them: laws change.
func (s *Server) review(ctx context.Context, sent []manifest.Document) ([]*structpb.Struct, error) {
	if !concerns(sent, ruleKinds) {
		return nil, nil
	}
	warnings, err := s.Residency.Review(ctx, resourcesOf(sent))
	if err != nil {
		return nil, err
	}
	diff, err := s.Residency.Diff(ctx, fleet.Moment{}, resourcesOf(sent), nil)
	if err != nil {
		return nil, err
	}
	outlived := slices.DeleteFunc(diff.Warnings, func(warning fleet.PolicyWarning) bool { return warning.Kind != fleet.WarningException })
	return documents(slices.Concat(warnings, outlived, unlawful(diff)))
}

// unlawful warns of places that are lawful and would not be.
func unlawful(diff fleet.PolicyDiff) []fleet.PolicyWarning {
	var places []string
	for _, changed := range diff.Places {
		if place := changed.Place.Subject.String() + " in " + changed.Place.Region; changed.Before.Allowed && !changed.After.Allowed && !slices.Contains(places, place) {
			places = append(places, place)
		}
	}
	if len(places) == 0 {
		return nil
	}
	return []fleet.PolicyWarning{{
		Kind:    fleet.WarningUnlawful,
		Message: "no longer lawful would be " + enumerate(places) + "; they stay where they are, and the audit shows them",
	}}
}

// judge says whether documents may be written, and returns the decisions to
// write with them. It makes the write depend on what it rests on. A denial is
// recorded, unless the write is a dry run.
func (s *Server) judge(ctx context.Context, sent []manifest.Document, options *inventory.ApplyOptions) ([]fleet.Resource, error) {
	if !concerns(sent, heldKinds) {
		return nil, nil
	}
	revision, err := s.Store.Revision(ctx)
	if err != nil {
		return nil, err
	}
	options.Unless = &inventory.Moved{Kinds: guardedKinds, Unobserved: unobservedKinds, Since: revision}
	if concerns(sent, []fleet.Kind{fleet.KindCluster}) {
		options.Unless.Kinds = append(slices.Clone(guardedKinds), fleet.KindCluster)
	}
	if err := s.guardWrite(ctx, sent); err != nil || !concerns(sent, placedKinds) {
		return nil, err
	}
	admission, err := s.Residency.Admit(ctx, actor(ctx), resourcesOf(sent))
	if errors.Is(err, fleet.ErrDenied) && !options.DryRun {
		return nil, errors.Join(err, s.recordDenial(ctx, admission.Decisions))
	}
	if err != nil {
		return nil, err
	}
	options.Unless = both(options.Unless, admission.Unless)
	return admission.Decisions, nil
}

// recordDenial keeps what was denied, as the documents are not.
func (s *Server) recordDenial(ctx context.Context, decisions []fleet.Resource) error {
	if len(decisions) == 0 {
		return nil
	}
	_, err := s.Store.Apply(context.WithoutCancel(ctx), actor(ctx), decisions, inventory.ApplyOptions{})
	return err
}

// both is a condition that holds when two do.
func both(one, other *inventory.Moved) *inventory.Moved {
	if other == nil {
		return one
	}
	kinds := slices.Clone(one.Kinds)
	for _, kind := range other.Kinds {
		if !slices.Contains(kinds, kind) {
			kinds = append(kinds, kind)
		}
	}
	unobserved := slices.DeleteFunc(slices.Clone(one.Unobserved), func(kind fleet.Kind) bool { return !slices.Contains(other.Unobserved, kind) })
	return &inventory.Moved{Kinds: kinds, Unobserved: unobserved, Since: min(one.Since, other.Since)}
}
