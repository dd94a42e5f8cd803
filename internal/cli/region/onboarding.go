package region

import (
	"context"
	"fmt"
	"strings"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/structpb"

	fleetv1 "github.com/meridian-fleet/meridian/api/fleet/v1"
	"github.com/meridian-fleet/meridian/api/fleet/v1/fleetv1connect"
	"github.com/meridian-fleet/meridian/internal/cli/failure"
	"github.com/meridian-fleet/meridian/internal/cli/follow"
	"github.com/meridian-fleet/meridian/internal/cli/output"
	"github.com/meridian-fleet/meridian/internal/cli/progress"
	"github.com/meridian-fleet/meridian/internal/cli/terminal"
	"github.com/meridian-fleet/meridian/internal/fleet"
)

// onboarding is what --wait knows of the regions it waits for.
type onboarding struct {
	*OnboardOptions
	began   time.Time
	started []string
	ready   []string
	// A status written up to this revision is of an earlier onboarding.
	earlier int64
	status  map[string]fleet.RegionStatus
	ended   map[string]bool
	display progress.Display
}

func newOnboarding(options *OnboardOptions, earlier int64, started, ready []string) *onboarding {
	return &onboarding{
		OnboardOptions: options, began: options.Now(), started: started, ready: ready, earlier: earlier,
		status: map[string]fleet.RegionStatus{}, ended: map[string]bool{},
		display: progress.New(options.Progress()),
	}
}

func (o *onboarding) follow(ctx context.Context) error {
	follower := &follow.Follower{
		Connect: o.Client, Kinds: []fleet.Kind{fleet.KindRegion},
		Load: o.load, Change: o.change,
	}
	follower.Announce(o.display)
	err := follower.Wait(ctx, o.Timeout, "the onboarding", "fleetctl region onboard "+strings.Join(o.started, " ")+" --wait")
	o.display.Close()
	if err != nil {
		return err
	}
	return o.conclude(ctx)
}

func (o *onboarding) load(ctx context.Context, client fleetv1connect.FleetServiceClient) (int64, error) {
	response, err := client.List(ctx, connect.NewRequest(&fleetv1.ListRequest{Kind: string(fleet.KindRegion)}))
	if err != nil {
		return 0, err
	}
	regions, err := output.Resources(response.Msg.GetDocuments())
	if err != nil {
		return 0, err
	}
	for _, region := range regions {
		if err := o.see(region); err != nil {
			return 0, err
		}
	}
	if o.show() {
		return follow.Finished, nil
	}
	return response.Msg.GetRevision(), nil
}

func (o *onboarding) change(change fleet.Change) (done bool, err error) {
	if change.After == nil {
		if _, waited := o.status[change.Ref.Name]; waited && !o.ended[change.Ref.Name] {
			return false, fleet.Errorf(fleet.ErrNotFound, "deleted while it was onboarded").On(change.Ref.String())
		}
		return false, nil
	}
	if err := o.see(*change.After); err != nil {
		return false, err
	}
	return o.show(), nil
}

// see takes in what a region is now.
func (o *onboarding) see(region fleet.Resource) error {
	status, err := fleet.StatusOf[fleet.RegionStatus](region)
	if err != nil {
		return err
	}
	name := region.Metadata.Name
	if region.Metadata.Revision <= o.earlier && isEnd(status.Phase) {
		status = fleet.RegionStatus{Phase: fleet.RegionOnboarding, Step: "starting"}
	}
	o.status[name], o.ended[name] = status, isEnd(status.Phase)
	return nil
}

func isEnd(phase fleet.RegionPhase) bool {
	return phase == fleet.RegionReady || phase == fleet.RegionFailed || phase == fleet.RegionAborted
}

// show draws the regions and reports whether all have ended.
func (o *onboarding) show() (done bool) {
	var lines []progress.Line
	for _, name := range o.ready {
		lines = append(lines, progress.Line{Key: "region " + name, State: string(fleet.RegionReady), Detail: "onboarded already", Style: terminal.Good, Done: true})
	}
	done = true
	for _, name := range o.started {
		lines = append(lines, line(name, o.status[name]))
		done = done && o.ended[name]
	}
	o.display.Show(lines)
	return done
}

func line(name string, status fleet.RegionStatus) progress.Line {
	var detail []string
	for _, part := range []string{status.Step, status.Message} {
		if part != "" {
			detail = append(detail, part)
		}
	}
	line := progress.Line{Key: "region " + name, State: string(status.Phase), Detail: strings.Join(detail, ": ")}
	switch status.Phase {
	case fleet.RegionReady:
		line.Style, line.Done = terminal.Good, true
	case fleet.RegionFailed, fleet.RegionAborted:
		line.Style = terminal.Bad
	}
	return line
}

// conclude sums up, prints the regions where a script wants them, and fails
// when a region did.
func (o *onboarding) conclude(ctx context.Context) error {
	counts := map[fleet.RegionPhase]int{fleet.RegionReady: len(o.ready)}
	var failed []string
	for _, name := range o.started {
		counts[o.status[name].Phase]++
		if o.status[name].Phase != fleet.RegionReady {
			failed = append(failed, name)
		}
	}
	all := len(o.started) + len(o.ready)
	fmt.Fprintf(o.Progress(), "%d of %d regions ready, %d failed, %d aborted, in %s\n", counts[fleet.RegionReady], all,
		counts[fleet.RegionFailed], counts[fleet.RegionAborted], output.Took(o.Now().Sub(o.began)))
	if err := o.print(ctx); err != nil {
		return err
	}
	if len(failed) > 0 {
		return &failure.Exit{Code: failure.Failed, Err: fmt.Errorf("not onboarded: %s (see `fleetctl describe region %s`)", strings.Join(failed, ", "), failed[0])}
	}
	return nil
}

// print gives scripts the documents of the regions.
func (o *onboarding) print(ctx context.Context) error {
	if o.Output.Tabular() {
		return nil
	}
	client, err := o.Client()
	if err != nil {
		return err
	}
	var found []*structpb.Struct
	for _, name := range append(append([]string{}, o.ready...), o.started...) {
		response, err := client.Get(ctx, connect.NewRequest(&fleetv1.GetRequest{Kind: string(fleet.KindRegion), Name: name}))
		if err != nil {
			return err
		}
		found = append(found, response.Msg.GetDocument())
	}
	return output.Documents(o.Streams.Out, o.Output, found)
}
