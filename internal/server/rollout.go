package server

import (
	"context"
	"encoding/json"
	"errors"

	"connectrpc.com/connect"

	fleetv1 "github.com/meridian-fleet/meridian/api/fleet/v1"
	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/inventory"
	"github.com/meridian-fleet/meridian/workflows"
)

// PlanRollout says what a rollout would do.
func (s *Server) PlanRollout(ctx context.Context, request *connect.Request[fleetv1.PlanRolloutRequest]) (*connect.Response[fleetv1.PlanRolloutResponse], error) {
	spec, err := s.ordered(ctx, request.Msg.GetOrder())
	if err != nil {
		return nil, err
	}
	plan, err := s.plan(ctx, spec)
	if err != nil {
		return nil, err
	}
	planned, err := document(plan)
	return connect.NewResponse(&fleetv1.PlanRolloutResponse{Plan: planned}), err
}

func (s *Server) plan(ctx context.Context, spec fleet.RolloutSpec) (plan fleet.RolloutPlan, err error) {
	err = s.Workflows.Execute(ctx, workflows.PlanID(newID()), workflows.PlanWorkflow, workflows.PlanInput{Spec: spec}, &plan)
	return plan, err
}

// checkPlan answers at once when an order is bound to a plan that no longer
// holds. The rollout itself checks again, right before it acts.
func (s *Server) checkPlan(ctx context.Context, spec fleet.RolloutSpec) error {
	if spec.PlanHash == "" {
		return nil
	}
	unbound := spec
	unbound.PlanHash = ""
	plan, err := s.plan(ctx, unbound)
	if err == nil && plan.Hash != spec.PlanHash {
		err = fleet.Errorf(fleet.ErrConflict, "the plan now is %s, not %s: something changed since it was made", plan.Hash, spec.PlanHash).
			Advise("look at the plan again, and order it by its new hash")
	}
	return err
}

// StartRollout records a rollout and starts the workflow that carries it out.
func (s *Server) StartRollout(ctx context.Context, request *connect.Request[fleetv1.StartRolloutRequest]) (*connect.Response[fleetv1.StartRolloutResponse], error) {
	spec, err := s.ordered(ctx, request.Msg.GetOrder())
	if err == nil {
		err = s.checkPlan(ctx, spec)
	}
	if err != nil {
		return nil, err
	}
	rollout, err := fleet.NewResource(fleet.KindRollout, "r-"+newID(), spec, nil)
	if err != nil {
		return nil, err
	}
	// Both writes outlive the caller: a rollout is recorded and started, or
	// recorded as failed.
	ctx = context.WithoutCancel(ctx)
	if _, err := s.Store.Apply(ctx, actor(ctx), []fleet.Resource{rollout}, inventory.ApplyOptions{}); err != nil {
		return nil, err
	}
	status := fleet.RolloutStatus{Phase: fleet.PhasePending, RequestedBy: actor(ctx)}
	err = s.setRolloutStatus(ctx, rollout.Ref(), status)
	if err == nil {
		err = s.startRollout(ctx, rollout.Metadata.Name)
	}
	if err != nil {
		status.Phase, status.Message = fleet.PhaseFailed, "it could not be started"
		return nil, errors.Join(err, s.setRolloutStatus(ctx, rollout.Ref(), status))
	}
	return connect.NewResponse(&fleetv1.StartRolloutResponse{Rollout: rollout.Metadata.Name}), nil
}

func (s *Server) startRollout(ctx context.Context, name string) error {
	return s.Workflows.Start(ctx, workflows.RolloutID(name), workflows.RolloutWorkflow, workflows.RolloutInput{Rollout: name})
}

func (s *Server) setRolloutStatus(ctx context.Context, ref fleet.Ref, status fleet.RolloutStatus) error {
	return s.Store.UpdateStatus(ctx, actor(ctx), ref, func(json.RawMessage) (any, error) { return status, nil })
}

// Recover starts rollouts that were recorded by a process that ended before it
// could start them. Starting one that runs does nothing.
func (s *Server) Recover(ctx context.Context) error {
	rollouts, err := s.Store.List(ctx, fleet.KindRollout, inventory.Query{})
	if err != nil {
		return err
	}
	var faults []error
	for _, rollout := range rollouts {
		status, err := fleet.StatusOf[fleet.RolloutStatus](rollout)
		if err == nil && (status.Phase == "" || status.Phase == fleet.PhasePending) {
			err = s.startRollout(ctx, rollout.Metadata.Name)
		}
		faults = append(faults, err)
	}
	return errors.Join(faults...)
}

// ordered checks an order and makes the rollout's spec of it.
func (s *Server) ordered(ctx context.Context, order *fleetv1.RolloutOrder) (fleet.RolloutSpec, error) {
	spec := fleet.RolloutSpec{
		Baseline: order.GetBaseline(),
		Strategy: order.GetStrategy(),
		Clusters: fleet.Selector{Clusters: order.GetClusters(), MatchLabels: order.GetMatchLabels()},
		PlanHash: order.GetPlanHash(),
	}
	if _, _, ok := fleet.SplitBaseline(spec.Baseline); !ok {
		return spec, fleet.Errorf(fleet.ErrInvalid, "want NAME@VERSION, got %q", spec.Baseline).At(fleet.Position{}, "baseline")
	}
	faults := []error{s.expect(ctx, fleet.KindBaseline, spec.Baseline), s.expect(ctx, fleet.KindCluster, order.GetClusters()...)}
	if spec.Strategy != "" {
		faults = append(faults, s.expect(ctx, fleet.KindRolloutStrategy, spec.Strategy))
	}
	return spec, errors.Join(faults...)
}

// expect answers ErrNotFound for names that no resource of the kind has.
func (s *Server) expect(ctx context.Context, kind fleet.Kind, names ...string) error {
	if len(names) == 0 {
		return nil
	}
	resources, err := s.Store.List(ctx, kind, inventory.Query{})
	if err != nil {
		return err
	}
	known := make([]string, 0, len(resources))
	for _, resource := range resources {
		known = append(known, resource.Metadata.Name)
	}
	return unknownNames(kind, names, known)
}

var signalOf = map[fleetv1.RolloutControl]string{
	fleetv1.RolloutControl_ROLLOUT_CONTROL_PAUSE:  workflows.SignalPause,
	fleetv1.RolloutControl_ROLLOUT_CONTROL_RESUME: workflows.SignalResume,
	fleetv1.RolloutControl_ROLLOUT_CONTROL_ABORT:  workflows.SignalAbort,
}

// ControlRollout pauses, resumes or aborts a rollout that has not ended.
func (s *Server) ControlRollout(ctx context.Context, request *connect.Request[fleetv1.ControlRolloutRequest]) (*connect.Response[fleetv1.ControlRolloutResponse], error) {
	signal, known := signalOf[request.Msg.GetControl()]
	if !known {
		return nil, fleet.Errorf(fleet.ErrInvalid, "want pause, resume or abort").At(fleet.Position{}, "control")
	}
	ref, err := knownRef(string(fleet.KindRollout), request.Msg.GetRollout())
	if err != nil {
		return nil, err
	}
	rollout, err := s.Store.Get(ctx, ref, inventory.AsOf{})
	if err != nil {
		return nil, err
	}
	if phase := phaseOf(rollout); fleet.Phase(phase).Done() {
		return nil, fleet.Errorf(fleet.ErrConflict, "it has ended: %s", phase).On(ref.String())
	}
	control := workflows.Control{Actor: actor(ctx), Reason: request.Msg.GetReason()}
	err = s.Workflows.Signal(ctx, workflows.RolloutID(ref.Name), signal, control)
	if errors.Is(err, fleet.ErrNotFound) {
		return nil, fleet.Errorf(fleet.ErrConflict, "it does not run").On(ref.String())
	}
	return connect.NewResponse(&fleetv1.ControlRolloutResponse{}), err
}
