package starter

import (
	"context"
	"errors"
	"strings"

	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/workflows"
)

// Starter starts workflows on the fleet's queue.
type Starter struct{ client client.Client }

// New makes a starter; the client stays the caller's.
func New(client client.Client) *Starter { return &Starter{client: client} }

// Start starts a workflow. While one with the id runs it does nothing.
func (s *Starter) Start(ctx context.Context, id, workflow string, input any) error {
	_, err := s.run(ctx, id, workflow, input)
	return fromTemporal(ctx, id, err)
}

// Execute starts a workflow, waits for its end and decodes its result.
func (s *Starter) Execute(ctx context.Context, id, workflow string, input, result any) error {
	run, err := s.run(ctx, id, workflow, input)
	if err != nil {
		return fromTemporal(ctx, id, err)
	}
	return fromTemporal(ctx, id, run.Get(ctx, result))
}

func (s *Starter) run(ctx context.Context, id, workflow string, input any) (client.WorkflowRun, error) {
	return s.client.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
		ID:                       id,
		TaskQueue:                workflows.FleetQueue,
		WorkflowIDConflictPolicy: enums.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
		WorkflowIDReusePolicy:    enums.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
	}, workflow, input)
}

// Signal signals a running workflow; ErrNotFound when there is none.
func (s *Starter) Signal(ctx context.Context, id, signal string, payload any) error {
	return fromTemporal(ctx, id, s.client.SignalWorkflow(ctx, id, "", signal, payload))
}

// Ping asks whether Temporal answers.
func (s *Starter) Ping(ctx context.Context) error {
	_, err := s.client.CheckHealth(ctx, &client.CheckHealthRequest{})
	return fromTemporal(ctx, "", err)
}

// fromTemporal tells a workflow that failed from a Temporal that did not
// answer.
func fromTemporal(ctx context.Context, id string, err error) error {
	var missing *serviceerror.NotFound
	var failed *temporal.WorkflowExecutionError
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &missing):
		return fleet.Errorf(fleet.ErrNotFound, "no such workflow runs").On(id)
	case errors.As(err, &failed):
		return fromFailure(workflows.FailureOf(err), err)
	}
	return fleet.Errorf(fleet.ErrUnavailable, "Temporal: %w", err).Advise("try again; /readyz tells what fleetd can reach")
}

// fromFailure makes the error of a workflow again. A failure's message may say
// the object and the hint, too.
func fromFailure(failure workflows.Failure, cause error) error {
	message := failure.Text()
	if failure.Object != "" {
		message = strings.TrimPrefix(message, failure.Object+": ")
	}
	if failure.Hint != "" {
		message = strings.TrimSuffix(message, " ("+failure.Hint+")")
	}
	return &fleet.Error{Kind: fleet.KindNamed(failure.Kind), Object: failure.Object, Message: message, Hint: failure.Hint, Err: cause}
}
