package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"slices"

	"connectrpc.com/connect"

	fleetv1 "github.com/meridian-fleet/meridian/api/fleet/v1"
	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/inventory"
	"github.com/meridian-fleet/meridian/internal/manifest"
)

// Apply declares resources. Every fault in what was sent is answered at once,
// and on any nothing is written.
func (s *Server) Apply(ctx context.Context, request *connect.Request[fleetv1.ApplyRequest]) (*connect.Response[fleetv1.ApplyResponse], error) {
	documents, err := parseSources(request.Msg.GetSources())
	bundles, bundleErr := s.decodeBundles(request.Msg.GetBundles())
	if err := errors.Join(err, bundleErr); err != nil {
		return nil, err
	}
	if err := mayWrite(ctx, documents, bundles); err != nil {
		return nil, err
	}
	s.writes.Lock()
	defer s.writes.Unlock()
	if err := s.checkReferences(ctx, documents, bundles); err != nil {
		return nil, err
	}
	warnings, err := s.review(ctx, documents)
	if err != nil {
		return nil, located(err, documents, bundles)
	}
	outcomes, err := s.write(ctx, documents, bundles, request.Msg.GetDryRun())
	if err != nil {
		return nil, located(err, documents, bundles)
	}
	if !request.Msg.GetDryRun() {
		if err := s.declare(ctx, outcomes); err != nil {
			return nil, err
		}
	}
	return connect.NewResponse(&fleetv1.ApplyResponse{Outcomes: outcomeMessages(outcomes), Warnings: warnings}), nil
}

// mayWrite refuses documents of kinds that are not the caller's to write.
func mayWrite(ctx context.Context, documents []manifest.Document, bundles []sentBundle) error {
	identity := identityOf(ctx)
	var faults []error
	for _, document := range documents {
		if roles := writers[document.Resource.Kind]; !identity.hasAny(roles) {
			fault := document.Fault("kind", "%s may not apply a %s", identity.User, document.Resource.Kind).Advise("%s", takes(roles))
			fault.Kind = fleet.ErrDenied
			faults = append(faults, fault)
		}
	}
	if roles := writers[fleet.KindBaseline]; len(bundles) > 0 && !identity.hasAny(roles) {
		faults = append(faults, fleet.Errorf(fleet.ErrDenied, "%s may not apply a Baseline", identity.User).
			At(fleet.Position{File: bundles[0].path}, "").Advise("%s", takes(roles)))
	}
	return errors.Join(faults...)
}

// writeAttempts bounds how often a write is judged anew because what the
// judgement rests on changed before it could be written.
const writeAttempts = 5

// write judges and writes documents in the same state of the inventory.
func (s *Server) write(ctx context.Context, documents []manifest.Document, bundles []sentBundle, dryRun bool) ([]inventory.Outcome, error) {
	for attempt := 1; ; attempt++ {
		options := inventory.ApplyOptions{DryRun: dryRun}
		decisions, err := s.judge(ctx, documents, &options)
		if err != nil {
			return nil, err
		}
		outcomes, err := s.Store.ApplyAll(ctx, actor(ctx), append(resourcesOf(documents), decisions...), bundlesOf(bundles), options)
		if options.Unless != nil && errors.Is(err, fleet.ErrConflict) && attempt < writeAttempts {
			continue
		}
		return slices.DeleteFunc(outcomes, func(o inventory.Outcome) bool { return o.Ref.Kind == fleet.KindDecision }), err
	}
}

func parseSources(sources []*fleetv1.Source) ([]manifest.Document, error) {
	var documents []manifest.Document
	var faults []error
	for _, source := range sources {
		if len(source.GetContent()) > maxDocument {
			faults = append(faults, tooLarge(source))
			continue
		}
		parsed, err := manifest.Parse(source.GetPath(), source.GetContent())
		documents = append(documents, parsed...)
		faults = append(faults, err)
	}
	return documents, errors.Join(faults...)
}

func tooLarge(source *fleetv1.Source) error {
	return fleet.Errorf(fleet.ErrInvalid, "%.1f MiB of documents in one file; at most %d MiB are read",
		float64(len(source.GetContent()))/(1<<20), maxDocument>>20).
		At(fleet.Position{File: source.GetPath()}, "")
}

// sentBundle is a bundle and the folder it was read from.
type sentBundle struct {
	inventory.Bundle
	path string
}

func (s *Server) decodeBundles(sources []*fleetv1.BundleSource) ([]sentBundle, error) {
	var bundles []sentBundle
	var faults []error
	for _, source := range sources {
		files, err := filesOf(source)
		if err != nil {
			faults = append(faults, err)
			continue
		}
		bundle, err := s.DecodeBundle(source.GetPath(), files)
		if err != nil {
			faults = append(faults, err)
			continue
		}
		bundles = append(bundles, sentBundle{bundle, source.GetPath()})
	}
	return bundles, errors.Join(faults...)
}

func filesOf(source *fleetv1.BundleSource) (map[string][]byte, error) {
	files := make(map[string][]byte, len(source.GetFiles()))
	for _, file := range source.GetFiles() {
		if _, twice := files[file.GetPath()]; twice {
			return nil, fleet.Errorf(fleet.ErrInvalid, "the file was sent twice").
				At(fleet.Position{File: source.GetPath() + "/" + file.GetPath()}, "")
		}
		files[file.GetPath()] = file.GetContent()
	}
	return files, nil
}

// checkReferences looks up what documents name in what is applied with them
// and in the inventory, and regions in their provider's catalog.
func (s *Server) checkReferences(ctx context.Context, documents []manifest.Document, bundles []sentBundle) error {
	together := map[fleet.Ref]bool{}
	for _, document := range documents {
		together[document.Resource.Ref()] = true
	}
	for _, bundle := range bundles {
		together[bundle.Resource.Ref()] = true
	}
	lookup := func(ref fleet.Ref) (bool, error) {
		if together[ref] {
			return true, nil
		}
		return s.exists(ctx, ref)
	}
	known := func(name string) (bool, error) { return s.RegionKnown(ctx, name) }
	return manifest.Check(ctx, documents, lookup, known)
}

func (s *Server) exists(ctx context.Context, ref fleet.Ref) (bool, error) {
	_, err := s.Store.Get(ctx, ref, inventory.AsOf{})
	if errors.Is(err, fleet.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

func resourcesOf(documents []manifest.Document) []fleet.Resource {
	resources := make([]fleet.Resource, 0, len(documents))
	for _, document := range documents {
		resources = append(resources, document.Resource)
	}
	return resources
}

func bundlesOf(sent []sentBundle) []inventory.Bundle {
	bundles := make([]inventory.Bundle, 0, len(sent))
	for _, bundle := range sent {
		bundles = append(bundles, bundle.Bundle)
	}
	return bundles
}

// located adds to each fault that concerns a document or a bundle where that
// stands. A bundle that may not be stored is a fault in what was sent.
func located(err error, documents []manifest.Document, bundles []sentBundle) error {
	positions := map[string]func(field string) fleet.Position{}
	for _, document := range documents {
		positions[document.Resource.Ref().String()] = func(field string) fleet.Position { return document.Fault(field, "").Position }
	}
	for _, bundle := range bundles {
		positions[bundle.Resource.Ref().String()] = func(string) fleet.Position {
			return fleet.Position{File: path.Join(bundle.path, "baseline.yaml")}
		}
	}
	var placed []error
	for _, one := range flatten(err) {
		var fault *fleet.Error
		if errors.As(one, &fault) {
			if position, sent := positions[fault.Object]; sent && fault.Position == (fleet.Position{}) {
				fault.Position = position(fault.Field)
				if fault.Kind == fleet.ErrConflict {
					fault.Kind = fleet.ErrInvalid
				}
			}
		}
		placed = append(placed, one)
	}
	return errors.Join(placed...)
}

// declare gives new regions their first phase.
func (s *Server) declare(ctx context.Context, outcomes []inventory.Outcome) error {
	for _, outcome := range outcomes {
		if outcome.Ref.Kind != fleet.KindRegion || outcome.Action != "created" {
			continue
		}
		err := s.Store.UpdateStatus(ctx, actor(ctx), outcome.Ref, func(current json.RawMessage) (any, error) {
			if len(current) > 0 {
				return current, nil
			}
			return fleet.RegionStatus{Phase: fleet.RegionDeclared}, nil
		})
		if err != nil {
			return fmt.Errorf("declare %s: %w", outcome.Ref, err)
		}
	}
	return nil
}

func outcomeMessages(outcomes []inventory.Outcome) []*fleetv1.Outcome {
	messages := make([]*fleetv1.Outcome, 0, len(outcomes))
	for _, outcome := range outcomes {
		messages = append(messages, &fleetv1.Outcome{Kind: string(outcome.Ref.Kind), Name: outcome.Ref.Name, Action: outcome.Action})
	}
	return messages
}
