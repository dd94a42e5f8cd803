package server_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"connectrpc.com/connect"

	fleetv1 "github.com/meridian-fleet/meridian/api/fleet/v1"
	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/inventory"
	"github.com/meridian-fleet/meridian/workflows"
)

func (f *fixture) onboard(request *fleetv1.OnboardRegionsRequest) (*fleetv1.OnboardRegionsResponse, error) {
	response, err := f.OnboardRegions(f.t.Context(), connect.NewRequest(request))
	if err != nil {
		return nil, err
	}
	return response.Msg, nil
}

func TestOnboarding(t *testing.T) {
	f := newFixture(t)
	f.apply(profile + region + secondRegion)
	_, err := f.onboard(&fleetv1.OnboardRegionsRequest{Regions: []string{"aws/eu-west-3", "aws/one", "aws/two"}})
	expectFailure(t, err, fleet.ErrNotFound, "Region aws/one", "Region aws/two", "gcp/europe-west4")
	if ids := f.workflows.ids(); len(ids) > 0 {
		t.Errorf("half of a faulty order was started: %v", ids)
	}
	f.setStatus(fleet.KindRegion, "gcp/europe-west4", fleet.RegionStatus{Phase: fleet.RegionReady})
	for range 2 { // the second finds the first's workflow
		response, err := f.onboard(&fleetv1.OnboardRegionsRequest{All: true})
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(response.GetStarted(), []string{"aws/eu-west-3"}) || !slices.Equal(response.GetAlreadyReady(), []string{"gcp/europe-west4"}) {
			t.Errorf("got %v", response)
		}
	}
	want := workflows.OnboardingInput{Region: "aws/eu-west-3", Actor: "a admin"}
	if got := f.workflows.running["onboarding/aws/eu-west-3"]; got != want || len(f.workflows.ids()) != 1 {
		t.Errorf("started %v with %v", f.workflows.ids(), got)
	}
	for _, request := range []*fleetv1.OnboardRegionsRequest{{}, {All: true, Regions: []string{"aws/eu-west-3"}}} {
		_, err := f.onboard(request)
		expectFailure(t, err, fleet.ErrInvalid)
	}
}

func TestAbortOnboarding(t *testing.T) {
	f := newFixture(t)
	f.apply(profile + region)
	abort := func(name string) error {
		_, err := f.AbortOnboarding(t.Context(), connect.NewRequest(&fleetv1.AbortOnboardingRequest{Region: name, Reason: "wrong one"}))
		return err
	}
	expectFailure(t, abort("aws/none"), fleet.ErrNotFound)
	expectFailure(t, abort("aws/eu-west-3"), fleet.ErrConflict, "the region is Declared")
	if _, err := f.onboard(&fleetv1.OnboardRegionsRequest{All: true}); err != nil {
		t.Fatal(err)
	}
	if err := abort("aws/eu-west-3"); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(f.workflows.signals, ""); got != "onboarding/aws/eu-west-3 abort {Actor:a admin Reason:wrong one}" {
		t.Errorf("signalled %q", got)
	}
}

func (f *fixture) start(order *fleetv1.RolloutOrder) (string, error) {
	response, err := f.StartRollout(f.t.Context(), connect.NewRequest(&fleetv1.StartRolloutRequest{Order: order}))
	if err != nil {
		return "", err
	}
	return response.Msg.GetRollout(), nil
}

func (f *fixture) withBaseline() {
	f.t.Helper()
	f.apply(profile + region + cluster + strategy)
	if err := f.applyBundle("web@1.0.0", ""); err != nil {
		f.t.Fatal(err)
	}
}

func TestStartRollout(t *testing.T) {
	f := newFixture(t)
	f.withBaseline()
	f.workflows.result = fleet.RolloutPlan{Hash: "h"}
	name, err := f.start(&fleetv1.RolloutOrder{Baseline: "web@1.0.0", Strategy: "careful", Clusters: []string{"first"}, PlanHash: "h"})
	if err != nil {
		t.Fatal(err)
	}
	rollout := f.resource(fleet.KindRollout, name)
	spec, _ := fleet.SpecOf[fleet.RolloutSpec](rollout)
	status, _ := fleet.StatusOf[fleet.RolloutStatus](rollout)
	if spec.Baseline != "web@1.0.0" || spec.Strategy != "careful" || spec.PlanHash != "h" || !slices.Equal(spec.Clusters.Clusters, []string{"first"}) {
		t.Errorf("recorded %+v", spec)
	}
	if status.Phase != fleet.PhasePending || status.RequestedBy != "a admin" {
		t.Errorf("recorded %+v", status)
	}
	if got := f.workflows.running["rollout/"+name]; got != (workflows.RolloutInput{Rollout: name}) {
		t.Errorf("started %v", f.workflows.ids())
	}
	second, err := f.start(&fleetv1.RolloutOrder{Baseline: "web@1.0.0"})
	if err != nil || second <= name {
		t.Errorf("names do not sort by time: %s, then %s (%v)", name, second, err)
	}
}

func TestAnOrderBoundToAnOldPlanIsNotRecorded(t *testing.T) {
	f := newFixture(t)
	f.withBaseline()
	f.workflows.result = fleet.RolloutPlan{Hash: "new"}
	_, err := f.start(&fleetv1.RolloutOrder{Baseline: "web@1.0.0", PlanHash: "old"})
	expectFailure(t, err, fleet.ErrConflict, "the plan now is new, not old")
	rollouts, err := f.store.List(t.Context(), fleet.KindRollout, inventory.Query{})
	if err != nil || len(rollouts) != 0 {
		t.Errorf("recorded %v (%v)", rollouts, err)
	}
}

func TestFaultyOrders(t *testing.T) {
	f := newFixture(t)
	f.withBaseline()
	for text, order := range map[string]*fleetv1.RolloutOrder{
		"there are web@1.0.0":     {Baseline: "web@2.0.0"},
		"RolloutStrategy nowhere": {Baseline: "web@1.0.0", Strategy: "nowhere"},
		"Cluster second":          {Baseline: "web@1.0.0", Clusters: []string{"first", "second"}},
	} {
		_, err := f.start(order)
		expectFailure(t, err, fleet.ErrNotFound, text)
		_, err = f.PlanRollout(t.Context(), connect.NewRequest(&fleetv1.PlanRolloutRequest{Order: order}))
		expectFailure(t, err, fleet.ErrNotFound, text)
	}
	_, err := f.start(&fleetv1.RolloutOrder{Baseline: "web"})
	expectFailure(t, err, fleet.ErrInvalid, "NAME@VERSION")
	_, err = f.start(nil)
	expectFailure(t, err, fleet.ErrInvalid, "NAME@VERSION")
	rollouts, err := f.store.List(t.Context(), fleet.KindRollout, inventory.Query{})
	if err != nil || len(rollouts) > 0 {
		t.Errorf("faulty orders left %v (%v)", rollouts, err)
	}
}

func TestRolloutThatCannotStartIsRecordedAsFailed(t *testing.T) {
	f := newFixture(t)
	f.withBaseline()
	f.workflows.startErr = fleet.Errorf(fleet.ErrUnavailable, "Temporal is away")
	_, err := f.start(&fleetv1.RolloutOrder{Baseline: "web@1.0.0"})
	expectFailure(t, err, fleet.ErrUnavailable, "Temporal is away")
	rollouts, err := f.store.List(t.Context(), fleet.KindRollout, inventory.Query{})
	if err != nil || len(rollouts) != 1 {
		t.Fatalf("got %v (%v)", rollouts, err)
	}
	status, _ := fleet.StatusOf[fleet.RolloutStatus](rollouts[0])
	if status.Phase != fleet.PhaseFailed || status.Message == "" {
		t.Errorf("it is %+v", status)
	}
}

func TestRecoverStartsWhatWasOnlyRecorded(t *testing.T) {
	f := newFixture(t)
	for name, status := range map[string]fleet.RolloutStatus{
		"r-1": {}, "r-2": {Phase: fleet.PhasePending}, "r-3": {Phase: fleet.PhaseRunning}, "r-4": {Phase: fleet.PhaseSucceeded},
	} {
		rollout, _ := fleet.NewResource(fleet.KindRollout, name, fleet.RolloutSpec{Baseline: "web@1.0.0"}, nil)
		if _, err := f.store.Apply(t.Context(), "test", []fleet.Resource{rollout}, inventory.ApplyOptions{}); err != nil {
			t.Fatal(err)
		}
		f.setStatus(fleet.KindRollout, name, status)
	}
	if err := f.server.Recover(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := f.workflows.ids(); !slices.Equal(got, []string{"rollout/r-1", "rollout/r-2"}) {
		t.Errorf("started %v", got)
	}
}

func TestControlRollout(t *testing.T) {
	f := newFixture(t)
	f.withBaseline()
	name, err := f.start(&fleetv1.RolloutOrder{Baseline: "web@1.0.0"})
	if err != nil {
		t.Fatal(err)
	}
	control := func(rollout string, what fleetv1.RolloutControl) error {
		_, err := f.ControlRollout(t.Context(), connect.NewRequest(&fleetv1.ControlRolloutRequest{Rollout: rollout, Control: what, Reason: "why"}))
		return err
	}
	for _, what := range []fleetv1.RolloutControl{
		fleetv1.RolloutControl_ROLLOUT_CONTROL_PAUSE, fleetv1.RolloutControl_ROLLOUT_CONTROL_RESUME, fleetv1.RolloutControl_ROLLOUT_CONTROL_ABORT,
	} {
		if err := control(name, what); err != nil {
			t.Error(err)
		}
	}
	for i, signal := range []string{"pause", "resume", "abort"} {
		if want := "rollout/" + name + " " + signal + " {Actor:a admin Reason:why}"; f.workflows.signals[i] != want {
			t.Errorf("got %q, want %q", f.workflows.signals[i], want)
		}
	}
	expectFailure(t, control(name, fleetv1.RolloutControl_ROLLOUT_CONTROL_UNSPECIFIED), fleet.ErrInvalid)
	expectFailure(t, control("r-none", fleetv1.RolloutControl_ROLLOUT_CONTROL_PAUSE), fleet.ErrNotFound)
	f.setStatus(fleet.KindRollout, name, fleet.RolloutStatus{Phase: fleet.PhaseFailed})
	expectFailure(t, control(name, fleetv1.RolloutControl_ROLLOUT_CONTROL_PAUSE), fleet.ErrConflict, "it has ended: Failed")
}

func TestPlanRollout(t *testing.T) {
	f := newFixture(t)
	f.withBaseline()
	f.workflows.result = fleet.RolloutPlan{Baseline: "web@1.0.0", Hash: "abc", Waves: []fleet.PlannedWave{{Name: "all"}}}
	response, err := f.PlanRollout(t.Context(), connect.NewRequest(&fleetv1.PlanRolloutRequest{Order: &fleetv1.RolloutOrder{Baseline: "web@1.0.0"}}))
	if err != nil {
		t.Fatal(err)
	}
	if got := response.Msg.GetPlan().GetFields()["hash"].GetStringValue(); got != "abc" {
		t.Errorf("plan %v", response.Msg.GetPlan())
	}
	if rollouts, _ := f.store.List(t.Context(), fleet.KindRollout, inventory.Query{}); len(rollouts) > 0 {
		t.Error("a plan recorded a rollout")
	}
}

func TestDrift(t *testing.T) {
	f := newFixture(t)
	f.withBaseline()
	_, err := f.CheckDrift(t.Context(), connect.NewRequest(&fleetv1.CheckDriftRequest{Clusters: []string{"none"}}))
	expectFailure(t, err, fleet.ErrNotFound, "Cluster none")
	_, err = f.CheckDrift(t.Context(), connect.NewRequest(&fleetv1.CheckDriftRequest{Clusters: []string{"first"}}))
	if err != nil {
		t.Error(err)
	}
	f.workflows.result = workflows.HealResult{Healed: []string{"first"}, Failed: map[string]string{"second": "away"}}
	healed, err := f.HealDrift(t.Context(), connect.NewRequest(&fleetv1.HealDriftRequest{}))
	if err != nil || !slices.Equal(healed.Msg.GetHealed(), []string{"first"}) || healed.Msg.GetFailed()["second"] != "away" {
		t.Errorf("got %v, %v", healed, err)
	}
	if !slices.Equal(f.workflows.started, []string{workflows.DriftWorkflow, workflows.HealWorkflow}) {
		t.Errorf("started %v", f.workflows.started)
	}
}

func TestKubeconfig(t *testing.T) {
	f := newFixture(t)
	f.apply(profile + region + cluster)
	_, err := f.GetKubeconfig(t.Context(), connect.NewRequest(&fleetv1.GetKubeconfigRequest{Cluster: "none"}))
	expectFailure(t, err, fleet.ErrNotFound, "Cluster none")
	response, err := f.GetKubeconfig(t.Context(), connect.NewRequest(&fleetv1.GetKubeconfigRequest{Cluster: "first"}))
	if err != nil || string(response.Msg.GetKubeconfig()) != "kubeconfig of first" {
		t.Errorf("got %v, %v", response, err)
	}
	if !strings.Contains(f.log.String(), "a admin") {
		t.Errorf("the log does not say who got a kubeconfig: %s", f.log)
	}
}

func TestDefectsAreNotLeaked(t *testing.T) {
	f := newFixture(t)
	f.apply(profile + region)
	f.workflows.startErr = errors.New("secret detail")
	_, err := f.onboard(&fleetv1.OnboardRegionsRequest{All: true})
	code, found := detail(t, err)
	if code != connect.CodeInternal || found.GetKind() != fleet.ErrInternal.Error() {
		t.Errorf("got %s, %v", code, found)
	}
	if strings.Contains(err.Error()+found.String(), "secret") {
		t.Errorf("the caller is told %v", err)
	}
	_, number, _ := strings.Cut(found.GetFaults()[0].GetMessage(), "number ")
	if number == "" || !strings.Contains(f.log.String(), number) || !strings.Contains(f.log.String(), "secret detail") {
		t.Errorf("the log lacks number %q or the cause: %s", number, f.log)
	}
}
