package server

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"connectrpc.com/connect"

	fleetv1 "github.com/meridian-fleet/meridian/api/fleet/v1"
	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/manifest"
)

// ListLocated says where datasets and workloads are.
func (s *Server) ListLocated(ctx context.Context, request *connect.Request[fleetv1.ListLocatedRequest]) (*connect.Response[fleetv1.ListLocatedResponse], error) {
	moment, err := decodeMoment(request.Msg.GetMoment())
	subjects, subjectErr := decodeRefs("subjects", request.Msg.GetSubjects(), fleet.KindDataset, fleet.KindWorkload)
	if err := errors.Join(err, subjectErr); err != nil {
		return nil, err
	}
	located, err := s.Residency.Located(ctx, moment, subjects)
	if err != nil {
		return nil, err
	}
	places, err := documents(located)
	return connect.NewResponse(&fleetv1.ListLocatedResponse{Places: places}), err
}

// decodeRefs reads KIND/NAME, of some kinds. A name may have slashes of its own.
func decodeRefs(argument string, texts []string, kinds ...fleet.Kind) ([]fleet.Ref, error) {
	refs := make([]fleet.Ref, 0, len(texts))
	var faults []error
	for i, text := range texts {
		kind, name, _ := strings.Cut(text, "/")
		if name == "" || !slices.Contains(kinds, fleet.Kind(kind)) {
			faults = append(faults, fleet.Errorf(fleet.ErrInvalid, "want KIND/NAME, got %q", text).
				At(fleet.Position{}, fmt.Sprintf("%s[%d]", argument, i)).Advise("the kinds are %s", strings.Join(names(kinds), ", ")))
			continue
		}
		refs = append(refs, fleet.Ref{Kind: fleet.Kind(kind), Name: name})
	}
	return refs, errors.Join(faults...)
}

// DatasetHistory says where a dataset was, and under which rules.
func (s *Server) DatasetHistory(ctx context.Context, request *connect.Request[fleetv1.DatasetHistoryRequest]) (*connect.Response[fleetv1.DatasetHistoryResponse], error) {
	moment, err := decodeMoment(request.Msg.GetMoment())
	if request.Msg.GetDataset() == "" {
		err = errors.Join(err, fleet.Errorf(fleet.ErrInvalid, "is missing").At(fleet.Position{}, "dataset"))
	}
	if err != nil {
		return nil, err
	}
	history, err := s.Residency.History(ctx, moment, request.Msg.GetDataset())
	if err != nil {
		return nil, err
	}
	events, err := documents(history)
	return connect.NewResponse(&fleetv1.DatasetHistoryResponse{Events: events}), err
}

// AuditResidency compares every place with the rules.
func (s *Server) AuditResidency(ctx context.Context, request *connect.Request[fleetv1.AuditResidencyRequest]) (*connect.Response[fleetv1.AuditResidencyResponse], error) {
	moment, err := decodeMoment(request.Msg.GetMoment())
	if err != nil {
		return nil, err
	}
	audit, err := s.Residency.Audit(ctx, moment)
	if err != nil {
		return nil, err
	}
	report, err := document(audit)
	return connect.NewResponse(&fleetv1.AuditResidencyResponse{Report: report}), err
}

// judgedKinds are those that verdicts depend on and that people declare.
var judgedKinds = []fleet.Kind{
	fleet.KindResidencyPolicy, fleet.KindJurisdictionGroup, fleet.KindDataClass, fleet.KindDataset, fleet.KindWorkload, fleet.KindRegion,
}

// DiffPolicies says what changed documents would make unlawful.
func (s *Server) DiffPolicies(ctx context.Context, request *connect.Request[fleetv1.DiffPoliciesRequest]) (*connect.Response[fleetv1.DiffPoliciesResponse], error) {
	moment, err := decodeMoment(request.Msg.GetMoment())
	documents, sourceErr := parseSources(request.Msg.GetSources())
	deleted, refErr := decodeRefs("deleted", request.Msg.GetDeleted(), judgedKinds...)
	if err := errors.Join(err, sourceErr, refErr, onlyJudged(documents)); err != nil {
		return nil, err
	}
	if len(documents)+len(deleted) == 0 {
		return nil, fleet.Errorf(fleet.ErrInvalid, "there is no document that would change").At(fleet.Position{}, "sources")
	}
	if err := errors.Join(s.checkReferences(ctx, documents, nil), s.allThere(ctx, deleted)); err != nil {
		return nil, err
	}
	diff, err := s.Residency.Diff(ctx, moment, resourcesOf(documents), deleted)
	if err != nil {
		return nil, located(err, documents, nil)
	}
	answer, err := document(diff)
	return connect.NewResponse(&fleetv1.DiffPoliciesResponse{Diff: answer}), err
}

func onlyJudged(documents []manifest.Document) error {
	var faults []error
	for _, document := range documents {
		if !slices.Contains(judgedKinds, document.Resource.Kind) {
			faults = append(faults, document.Fault("kind", "no verdict depends on a %s", document.Resource.Kind))
		}
	}
	return errors.Join(faults...)
}

func (s *Server) allThere(ctx context.Context, refs []fleet.Ref) error {
	var faults []error
	for _, ref := range refs {
		there, err := s.exists(ctx, ref)
		if err != nil {
			return err
		}
		if !there {
			faults = append(faults, fleet.Errorf(fleet.ErrNotFound, "not in the inventory").On(ref.String()))
		}
	}
	return errors.Join(faults...)
}

// ExportEvidence makes a sealed pack for an auditor.
func (s *Server) ExportEvidence(ctx context.Context, request *connect.Request[fleetv1.ExportEvidenceRequest]) (*connect.Response[fleetv1.ExportEvidenceResponse], error) {
	moment, err := decodeMoment(request.Msg.GetMoment())
	if len(request.Msg.GetTitle()) > maxLine {
		err = errors.Join(err, fleet.Errorf(fleet.ErrInvalid, "longer than %d bytes", maxLine).At(fleet.Position{}, "title"))
	}
	if err != nil {
		return nil, err
	}
	body, err := s.Residency.Report(ctx, moment, request.Msg.GetTitle(), actor(ctx), s.Version.Version)
	if err != nil {
		return nil, err
	}
	pack, err := s.Evidence.Export(ctx, body)
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(&fleetv1.ExportEvidenceResponse{Pack: pack}), nil
}

// VerifyEvidence compares the log with itself and with the inventory.
func (s *Server) VerifyEvidence(ctx context.Context, _ *connect.Request[fleetv1.VerifyEvidenceRequest]) (*connect.Response[fleetv1.VerifyEvidenceResponse], error) {
	verified, err := s.Evidence.Verify(ctx)
	if err != nil {
		return nil, err
	}
	report, err := document(verified)
	return connect.NewResponse(&fleetv1.VerifyEvidenceResponse{Report: report}), err
}
