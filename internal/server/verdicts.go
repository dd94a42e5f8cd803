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
)

// CheckResidency answers questions, each over the facets and regions it does
// not name itself.
func (s *Server) CheckResidency(ctx context.Context, request *connect.Request[fleetv1.CheckResidencyRequest]) (*connect.Response[fleetv1.CheckResidencyResponse], error) {
	moment, err := decodeMoment(request.Msg.GetMoment())
	questions, questionErr := s.decodeMatrix(ctx, request.Msg)
	if err := errors.Join(err, questionErr); err != nil {
		return nil, err
	}
	verdicts, err := s.Residency.Check(ctx, moment, questions)
	if err != nil {
		return nil, err
	}
	answers, err := documents(verdicts)
	return connect.NewResponse(&fleetv1.CheckResidencyResponse{Verdicts: answers}), err
}

func (s *Server) decodeMatrix(ctx context.Context, request *fleetv1.CheckResidencyRequest) ([]fleet.Question, error) {
	var faults []error
	var questions []fleet.Question
	if len(request.GetQuestions()) == 0 {
		faults = append(faults, fleet.Errorf(fleet.ErrInvalid, "ask at least one").At(fleet.Position{}, "questions"))
	}
	for i, asked := range request.GetQuestions() {
		question, err := decodeQuestion(fmt.Sprintf("questions[%d]", i), asked)
		questions, faults = append(questions, question), append(faults, err)
	}
	check := &argumentChecker{}
	var facets []fleet.Facet
	for i, facet := range request.GetFacets() {
		check.oneOf(fmt.Sprintf("facets[%d]", i), facet, names(fleet.Facets))
		facets = append(facets, fleet.Facet(facet))
	}
	for i, region := range request.GetRegions() {
		check.region(fmt.Sprintf("regions[%d]", i), region)
	}
	if err := errors.Join(append(faults, check.faults...)...); err != nil {
		return nil, err
	}
	regions, err := s.regionsAsked(ctx, request.GetRegions(), questions)
	if err != nil {
		return nil, err
	}
	return matrix(questions, facets, regions)
}

// regionsAsked are those named, or all there are when a question needs them.
func (s *Server) regionsAsked(ctx context.Context, named []string, questions []fleet.Question) ([]string, error) {
	if len(named) > 0 || !slices.ContainsFunc(questions, func(q fleet.Question) bool { return q.Region == "" }) {
		return named, nil
	}
	catalog, err := s.Residency.Catalog(ctx, fleet.Moment{})
	if err != nil {
		return nil, err
	}
	regions := make([]string, 0, len(catalog))
	for _, region := range catalog {
		regions = append(regions, region.Name())
	}
	slices.Sort(regions)
	return regions, nil
}

// FindRegions says where a subject may be.
func (s *Server) FindRegions(ctx context.Context, request *connect.Request[fleetv1.FindRegionsRequest]) (*connect.Response[fleetv1.FindRegionsResponse], error) {
	moment, err := decodeMoment(request.Msg.GetMoment())
	question, questionErr := decodeQuestion("question", request.Msg.GetQuestion())
	if err := errors.Join(err, questionErr); err != nil {
		return nil, err
	}
	if question.Region != "" {
		return nil, fleet.Errorf(fleet.ErrInvalid, "regions are what this call answers").At(fleet.Position{}, "question.region")
	}
	if question.Facet == "" && question.Subject.Kind != fleet.KindWorkload {
		return nil, fleet.Errorf(fleet.ErrInvalid, "is missing").At(fleet.Position{}, "question.facet").
			Advise("the facets are %s", strings.Join(names(fleet.Facets), ", "))
	}
	found, err := s.Residency.Find(ctx, moment, question, request.Msg.GetAll())
	if err != nil {
		return nil, err
	}
	regions, err := documents(found)
	return connect.NewResponse(&fleetv1.FindRegionsResponse{Regions: regions}), err
}

// ListCatalog returns every region of every provider.
func (s *Server) ListCatalog(ctx context.Context, request *connect.Request[fleetv1.ListCatalogRequest]) (*connect.Response[fleetv1.ListCatalogResponse], error) {
	moment, err := decodeMoment(request.Msg.GetMoment())
	if err != nil {
		return nil, err
	}
	catalog, err := s.Residency.Catalog(ctx, moment)
	if err != nil {
		return nil, err
	}
	regions, err := documents(catalog)
	return connect.NewResponse(&fleetv1.ListCatalogResponse{Regions: regions}), err
}

// WhoAmI tells the caller's name and roles.
func (s *Server) WhoAmI(ctx context.Context, _ *connect.Request[fleetv1.WhoAmIRequest]) (*connect.Response[fleetv1.WhoAmIResponse], error) {
	identity := identityOf(ctx)
	return connect.NewResponse(&fleetv1.WhoAmIResponse{User: identity.User, Roles: names(identity.Roles)}), nil
}
