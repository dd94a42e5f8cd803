package rollout

import (
	"context"
	"fmt"
	"strings"
	"time"

	"connectrpc.com/connect"

	fleetv1 "github.com/meridian-fleet/meridian/api/fleet/v1"
	"github.com/meridian-fleet/meridian/api/fleet/v1/fleetv1connect"
	"github.com/meridian-fleet/meridian/internal/cli/factory"
	"github.com/meridian-fleet/meridian/internal/cli/failure"
	"github.com/meridian-fleet/meridian/internal/cli/follow"
	"github.com/meridian-fleet/meridian/internal/cli/output"
	"github.com/meridian-fleet/meridian/internal/cli/progress"
	"github.com/meridian-fleet/meridian/internal/fleet"
)

// watch follows a rollout to its end.
func watch(ctx context.Context, f *factory.Factory, id string, timeout time.Duration) error {
	watched := &watched{state: state{id: id}, display: progress.New(f.Progress())}
	follower := &follow.Follower{
		Connect: f.Client,
		Kinds:   []fleet.Kind{fleet.KindRollout, fleet.KindClusterChange},
		Load:    watched.load, Change: watched.change,
	}
	follower.Announce(watched.display)
	err := follower.Wait(ctx, timeout, "rollout/"+id, again(id))
	watched.display.Close()
	if err != nil {
		return err
	}
	return conclude(ctx, f, &watched.state)
}

type watched struct {
	state
	display progress.Display
}

func (w *watched) load(ctx context.Context, client fleetv1connect.FleetServiceClient) (int64, error) {
	revision, err := w.read(ctx, client)
	if err != nil {
		return 0, err
	}
	w.display.Show(w.lines())
	if w.status.Phase.Done() {
		return follow.Finished, nil
	}
	return revision, nil
}

func (w *watched) change(change fleet.Change) (done bool, err error) {
	if change.After == nil {
		if change.Ref.Kind == fleet.KindRollout && change.Ref.Name == w.id {
			return false, fleet.Errorf(fleet.ErrNotFound, "deleted while it was watched").On(change.Ref.String())
		}
		return false, nil
	}
	if err := w.see(*change.After); err != nil {
		return false, err
	}
	w.display.Show(w.lines())
	return w.status.Phase.Done(), nil
}

// conclude reads the state once more, sums up, and fails when the rollout did.
func conclude(ctx context.Context, f *factory.Factory, s *state) error {
	client, err := f.Client()
	if err != nil {
		return err
	}
	if _, err := s.read(ctx, client); err != nil && !follow.Passing(err) {
		return err
	}
	if grid := s.blocked(); !grid.Empty() {
		if err := grid.Write(f.Progress(), ""); err != nil {
			return err
		}
	}
	fmt.Fprintln(f.Progress(), s.total())
	if !f.Output.Tabular() {
		if err := printDocument(ctx, f, client, s.id); err != nil {
			return err
		}
	}
	return s.outcome()
}

// outcome is the error a rollout ended with.
func (s *state) outcome() error {
	if s.status.Phase == fleet.PhaseSucceeded || !s.status.Phase.Done() {
		return nil
	}
	message := strings.TrimPrefix(s.status.Message, "Rollout "+s.id+": ")
	if message == "" {
		message = "it ended " + string(s.status.Phase)
	}
	return &failure.Exit{Code: failure.Failed, Err: fleet.Errorf(fleet.ErrNeedsHuman, "%s", message).On("rollout/" + s.id)}
}

// printDocument gives a script the rollout's document.
func printDocument(ctx context.Context, f *factory.Factory, client fleetv1connect.FleetServiceClient, id string) error {
	response, err := client.Get(ctx, connect.NewRequest(&fleetv1.GetRequest{Kind: string(fleet.KindRollout), Name: id}))
	if err != nil {
		return err
	}
	return output.Document(f.Streams.Out, f.Output, response.Msg.GetDocument())
}
