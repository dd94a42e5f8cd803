package server

import (
	"context"
	"errors"
	"slices"

	"connectrpc.com/connect"

	fleetv1 "github.com/meridian-fleet/meridian/api/fleet/v1"
	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/inventory"
	"github.com/meridian-fleet/meridian/workflows"
)

// OnboardRegions starts the onboarding of regions that are not onboarded. One
// that is on its way already counts as started; one that failed or was aborted
// begins anew.
func (s *Server) OnboardRegions(ctx context.Context, request *connect.Request[fleetv1.OnboardRegionsRequest]) (*connect.Response[fleetv1.OnboardRegionsResponse], error) {
	phases, err := s.regionsToOnboard(ctx, request.Msg)
	if err != nil {
		return nil, err
	}
	response := &fleetv1.OnboardRegionsResponse{}
	var faults []error
	for _, region := range phases {
		if region.phase == fleet.RegionReady {
			response.AlreadyReady = append(response.AlreadyReady, region.name)
			continue
		}
		input := workflows.OnboardingInput{Region: region.name, Actor: actor(ctx)}
		if err := s.Workflows.Start(ctx, workflows.OnboardingID(region.name), workflows.OnboardingWorkflow, input); err != nil {
			faults = append(faults, err)
			continue
		}
		response.Started = append(response.Started, region.name)
	}
	return connect.NewResponse(response), errors.Join(faults...)
}

type regionPhase struct {
	name  string
	phase fleet.RegionPhase
}

// regionsToOnboard answers every name that is not declared at once, before
// anything starts.
func (s *Server) regionsToOnboard(ctx context.Context, request *fleetv1.OnboardRegionsRequest) ([]regionPhase, error) {
	switch {
	case request.GetAll() && len(request.GetRegions()) > 0:
		return nil, fleet.Errorf(fleet.ErrInvalid, "name regions or ask for all of them, not both").At(fleet.Position{}, "regions")
	case !request.GetAll() && len(request.GetRegions()) == 0:
		return nil, fleet.Errorf(fleet.ErrInvalid, "name at least one region, or ask for all").At(fleet.Position{}, "regions")
	}
	declared, err := s.Store.List(ctx, fleet.KindRegion, inventory.Query{})
	if err != nil {
		return nil, err
	}
	var chosen []regionPhase
	var known []string
	for _, region := range declared {
		name := region.Metadata.Name
		known = append(known, name)
		if request.GetAll() || slices.Contains(request.GetRegions(), name) {
			chosen = append(chosen, regionPhase{name, fleet.RegionPhase(phaseOf(region))})
		}
	}
	return chosen, unknownNames(fleet.KindRegion, request.GetRegions(), known)
}

// unknownNames is an ErrNotFound that names every wanted resource there is
// not, and says what there is.
func unknownNames(kind fleet.Kind, wanted, known []string) error {
	var faults []error
	for _, name := range wanted {
		if slices.Contains(known, name) {
			continue
		}
		fault := fleet.Errorf(fleet.ErrNotFound, "not in the inventory").On(fleet.Ref{Kind: kind, Name: name}.String())
		if len(known) > 0 {
			fault = fault.Advise("there are %s", enumerate(slices.Clone(known)))
		}
		faults = append(faults, fault)
	}
	return errors.Join(faults...)
}

// AbortOnboarding stops an onboarding that runs.
func (s *Server) AbortOnboarding(ctx context.Context, request *connect.Request[fleetv1.AbortOnboardingRequest]) (*connect.Response[fleetv1.AbortOnboardingResponse], error) {
	ref, err := knownRef(string(fleet.KindRegion), request.Msg.GetRegion())
	if err != nil {
		return nil, err
	}
	region, err := s.Store.Get(ctx, ref, inventory.AsOf{})
	if err != nil {
		return nil, err
	}
	control := workflows.Control{Actor: actor(ctx), Reason: request.Msg.GetReason()}
	err = s.Workflows.Signal(ctx, workflows.OnboardingID(ref.Name), workflows.SignalAbort, control)
	if errors.Is(err, fleet.ErrNotFound) {
		return nil, fleet.Errorf(fleet.ErrConflict, "no onboarding runs; the region is %s", phaseOf(region)).On(ref.String())
	}
	return connect.NewResponse(&fleetv1.AbortOnboardingResponse{}), err
}
