package rollout_test

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/workflows"
	"github.com/meridian-fleet/meridian/workflows/rollout"
)

// scene is a rollout in a test environment: waves to carry out, how changes
// end, and everything that was written down.
type scene struct {
	*testsuite.TestWorkflowEnvironment

	waves     []fleet.PlannedWave
	prepare   error
	confirmed []string
	ends      map[string]error         // by cluster; nil: succeeds
	takes     map[string]time.Duration // by cluster; a second when absent

	started  []string
	running  int
	mostRun  int
	ended    map[string]string
	records  []workflows.RolloutRecord
	changes  []workflows.ChangeRecord
	confirms []workflows.ConfirmInput
}

func newScene(t *testing.T, waves ...fleet.PlannedWave) *scene {
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(log.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	s := &scene{
		TestWorkflowEnvironment: suite.NewTestWorkflowEnvironment(), waves: waves,
		ends: map[string]error{}, takes: map[string]time.Duration{}, ended: map[string]string{},
	}
	s.SetTestTimeout(30 * time.Second)
	s.RegisterWorkflowWithOptions(s.change, workflow.RegisterOptions{Name: workflows.ChangeWorkflow})
	register(s, workflows.ActivityPrepareRollout, func(workflows.RolloutInput) (workflows.PreparedRollout, error) {
		return workflows.PreparedRollout{
			Plan:   fleet.RolloutPlan{Baseline: "platform@1.0.0", Waves: s.waves},
			Status: fleet.RolloutStatus{Phase: fleet.PhasePlanning, RequestedBy: "ada", PlanHash: "sha256:1"},
		}, s.prepare
	})
	register(s, workflows.ActivityConfirmUnchanged, func(input workflows.ConfirmInput) ([]string, error) {
		s.confirms = append(s.confirms, input)
		return s.confirmed, nil
	})
	register(s, workflows.ActivityRecordRollout, func(record workflows.RolloutRecord) (struct{}, error) {
		s.records = append(s.records, record)
		return struct{}{}, nil
	})
	register(s, workflows.ActivityRecordChange, func(record workflows.ChangeRecord) (struct{}, error) {
		s.changes = append(s.changes, record)
		return struct{}{}, nil
	})
	return s
}

func register[In, Out any](s *scene, name string, do func(In) (Out, error)) {
	s.RegisterActivityWithOptions(do, activity.RegisterOptions{Name: name})
}

// change stands in for the child workflow.
func (s *scene) change(ctx workflow.Context, input workflows.ChangeInput) (fleet.ClusterChangeStatus, error) {
	s.started = append(s.started, input.Cluster)
	s.running++
	s.mostRun = max(s.mostRun, s.running)
	defer func() { s.running-- }()
	takes, ok := s.takes[input.Cluster]
	if !ok {
		takes = time.Second
	}
	if err := workflow.Sleep(ctx, takes); err != nil {
		s.ended[input.Cluster] = "cancelled"
		return fleet.ClusterChangeStatus{}, err
	}
	s.ended[input.Cluster] = "done"
	return fleet.ClusterChangeStatus{Phase: fleet.PhaseSucceeded}, s.ends[input.Cluster]
}

func (s *scene) run() (fleet.RolloutStatus, error) {
	s.ExecuteWorkflow(rollout.Rollout, workflows.RolloutInput{Rollout: "r1"})
	return s.final(), s.GetWorkflowError()
}

func (s *scene) final() fleet.RolloutStatus {
	if len(s.records) == 0 {
		return fleet.RolloutStatus{}
	}
	return s.records[len(s.records)-1].Status
}

func (s *scene) skipped() []string { return s.records[len(s.records)-1].Skipped }

func (s *scene) at(after time.Duration, signal string, by workflows.Control) {
	s.RegisterDelayedCallback(func() { s.SignalWorkflow(signal, by) }, after)
}

func (s *scene) progress(t *testing.T) fleet.RolloutStatus {
	t.Helper()
	answer, err := s.QueryWorkflow(workflows.QueryProgress)
	if err != nil {
		t.Fatal(err)
	}
	var status fleet.RolloutStatus
	if err := answer.Get(&status); err != nil {
		t.Fatal(err)
	}
	return status
}

func wave(name string, size int) fleet.PlannedWave {
	planned := fleet.PlannedWave{Name: name, MaxParallel: 2}
	for i := range size {
		planned.Clusters = append(planned.Clusters, fleet.PlannedCluster{Cluster: fmt.Sprintf("%s-%d", name, i), Create: 1})
	}
	return planned
}

func notReady(object, reason string) error {
	return workflows.Fail(fleet.Errorf(fleet.ErrWaiting, "not ready in time"), fleet.BlockingObject{Object: object, Reason: reason})
}

func phases(status fleet.RolloutStatus) []fleet.Phase {
	var all []fleet.Phase
	for _, w := range status.Waves {
		all = append(all, w.Phase)
	}
	return all
}

func expect(t *testing.T, status fleet.RolloutStatus, phase fleet.Phase, waves ...fleet.Phase) {
	t.Helper()
	if status.Phase != phase || !slices.Equal(phases(status), waves) {
		t.Errorf("ended %s %v (%s), want %s %v", status.Phase, phases(status), status.Message, phase, waves)
	}
	if status.FinishedAt == nil {
		t.Error("no finish time")
	}
}

func TestRolloutTakesWavesInOrder(t *testing.T) {
	t.Parallel()
	s := newScene(t, wave("canary", 1), wave("rest", 5))
	status, err := s.run()
	if err != nil {
		t.Fatal(err)
	}
	expect(t, status, fleet.PhaseSucceeded, fleet.PhaseSucceeded, fleet.PhaseSucceeded)
	if len(s.started) != 6 || s.started[0] != "canary-0" {
		t.Errorf("started %v", s.started)
	}
	if s.mostRun != 2 {
		t.Errorf("%d changes at once, want 2", s.mostRun)
	}
	if status.Waves[1].Succeeded != 5 || status.PlanHash != "sha256:1" || status.RequestedBy != "ada" {
		t.Errorf("status %+v", status)
	}
}

func TestRolloutConfirmsWhatIsThereAlready(t *testing.T) {
	t.Parallel()
	planned := wave("all", 3)
	for i := range 2 {
		planned.Clusters[i].Create, planned.Clusters[i].From = 0, "platform@1.0.0"
	}
	s := newScene(t, planned)
	s.confirmed = []string{"all-0"}
	status, err := s.run()
	if err != nil {
		t.Fatal(err)
	}
	expect(t, status, fleet.PhaseSucceeded, fleet.PhaseSucceeded)
	slices.Sort(s.started)
	if !slices.Equal(s.started, []string{"all-1", "all-2"}) {
		t.Errorf("started %v", s.started)
	}
	if len(s.confirms) != 1 || !slices.Equal(s.confirms[0].Clusters, []string{"all-0", "all-1"}) {
		t.Errorf("confirmed %+v", s.confirms)
	}
}

func TestRolloutStopsWhenTheBudgetIsExceeded(t *testing.T) {
	t.Parallel()
	s := newScene(t, wave("canary", 4), wave("rest", 2))
	s.waves[0].FailureBudget = 1
	s.ends["canary-0"] = notReady("DaemonSet.apps gpu/driver", "0 of 2 pods ready")
	s.ends["canary-1"] = notReady("DaemonSet.apps gpu/driver", "1 of 2 pods ready")
	status, err := s.run()
	if workflows.KindOf(err) != fleet.ErrWaiting {
		t.Errorf("failed with %v", err)
	}
	expect(t, status, fleet.PhaseFailed, fleet.PhaseFailed, fleet.PhaseSkipped)
	for _, text := range []string{"canary-0", "DaemonSet.apps gpu/driver", "0 of 2 pods ready"} {
		if !strings.Contains(status.Message, text) {
			t.Errorf("message %q does not name %q", status.Message, text)
		}
	}
	skipped := s.skipped()
	slices.Sort(skipped)
	if !slices.Equal(skipped, []string{"canary-3", "rest-0", "rest-1"}) {
		t.Errorf("skipped %v", skipped)
	}
}

func TestRolloutSurvivesFailuresWithinTheBudget(t *testing.T) {
	t.Parallel()
	s := newScene(t, wave("all", 3))
	s.waves[0].FailureBudget = 1
	s.ends["all-1"] = notReady("Job.batch x/y", "not complete")
	status, err := s.run()
	if err != nil {
		t.Fatal(err)
	}
	expect(t, status, fleet.PhaseSucceeded, fleet.PhaseSucceeded)
	if status.Waves[0].Failed != 1 || !strings.Contains(status.Message, "all-1") {
		t.Errorf("status %+v", status)
	}
}

func TestRolloutRefusedByItsPlan(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.prepare = workflows.Fail(fleet.Errorf(fleet.ErrConflict, "the plan has changed"))
	status, err := s.run()
	if workflows.KindOf(err) != fleet.ErrConflict || status.Phase != fleet.PhaseFailed || status.Message != "the plan has changed" {
		t.Errorf("%v, %+v", err, status)
	}
}

func TestRolloutAbortedWhileAChangeRuns(t *testing.T) {
	t.Parallel()
	s := newScene(t, wave("canary", 3), wave("rest", 1))
	s.takes["canary-1"] = time.Hour
	s.at(10*time.Second, workflows.SignalAbort, workflows.Control{Actor: "ada", Reason: "wrong version"})
	s.takes["canary-2"] = time.Hour
	status, err := s.run()
	if err != nil {
		t.Fatal(err)
	}
	expect(t, status, fleet.PhaseAborted, fleet.PhaseAborted, fleet.PhaseSkipped)
	if status.Message != "aborted by ada: wrong version" {
		t.Errorf("message %q", status.Message)
	}
	if s.ended["canary-0"] != "done" || s.ended["canary-1"] != "cancelled" || s.ended["canary-2"] != "cancelled" {
		t.Errorf("changes ended %v", s.ended)
	}
	if !slices.Equal(s.skipped(), []string{"rest-0"}) || status.Waves[0].Failed != 0 {
		t.Errorf("skipped %v, %+v", s.skipped(), status.Waves[0])
	}
}

func TestRolloutAbortedBetweenWaves(t *testing.T) {
	t.Parallel()
	for name, rest := range map[string]func(*fleet.PlannedWave){
		"soaking": func(w *fleet.PlannedWave) { w.Soak = fleet.Duration(time.Hour) },
		"paused":  func(w *fleet.PlannedWave) { w.Pause = true },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t, wave("canary", 1), wave("rest", 1))
			rest(&s.waves[0])
			s.at(time.Minute, workflows.SignalAbort, workflows.Control{Actor: "ada"})
			status, err := s.run()
			if err != nil {
				t.Fatal(err)
			}
			expect(t, status, fleet.PhaseAborted, fleet.PhaseSucceeded, fleet.PhaseSkipped)
			if len(s.started) != 1 {
				t.Errorf("started %v", s.started)
			}
		})
	}
}

func TestRolloutAbortedBeforeItsFirstWave(t *testing.T) {
	t.Parallel()
	s := newScene(t, wave("all", 2))
	s.at(0, workflows.SignalAbort, workflows.Control{Actor: "ada"})
	status, err := s.run()
	if err != nil {
		t.Fatal(err)
	}
	if status.Phase != fleet.PhaseAborted || len(s.started) != 0 {
		t.Errorf("%+v, started %v", status, s.started)
	}
}

func TestRolloutCancelledLikeAborted(t *testing.T) {
	t.Parallel()
	s := newScene(t, wave("all", 2))
	s.takes["all-0"], s.takes["all-1"] = time.Hour, time.Hour
	s.RegisterDelayedCallback(s.CancelWorkflow, time.Minute)
	status, err := s.run()
	if err != nil {
		t.Fatal(err)
	}
	expect(t, status, fleet.PhaseAborted, fleet.PhaseAborted)
}

func TestRolloutPausesAndResumes(t *testing.T) {
	t.Parallel()
	s := newScene(t, wave("all", 4))
	s.waves[0].MaxParallel = 1
	s.at(500*time.Millisecond, workflows.SignalPause, workflows.Control{Actor: "ada", Reason: "lunch"})
	s.RegisterDelayedCallback(func() {
		if status := s.progress(t); status.Phase != fleet.PhasePaused || status.Message != "paused by ada: lunch" {
			t.Errorf("while paused: %+v", status)
		}
		if len(s.started) != 1 || s.running != 0 {
			t.Errorf("while paused: started %v, %d run", s.started, s.running)
		}
	}, 30*time.Minute)
	s.at(time.Hour, workflows.SignalResume, workflows.Control{Actor: "ada"})
	status, err := s.run()
	if err != nil {
		t.Fatal(err)
	}
	expect(t, status, fleet.PhaseSucceeded, fleet.PhaseSucceeded)
	if status.Message != "" || len(s.started) != 4 {
		t.Errorf("%q, started %v", status.Message, s.started)
	}
}

func TestRolloutPausesAfterAWaveThatAsksForIt(t *testing.T) {
	t.Parallel()
	s := newScene(t, wave("canary", 1), wave("rest", 1))
	s.waves[0].Pause, s.waves[1].Pause = true, true
	s.RegisterDelayedCallback(func() {
		if status := s.progress(t); status.Phase != fleet.PhasePaused || !strings.Contains(status.Message, "after wave canary") {
			t.Errorf("after the wave: %+v", status)
		}
	}, 30*time.Minute)
	s.at(time.Hour, workflows.SignalResume, workflows.Control{})
	status, err := s.run()
	if err != nil {
		t.Fatal(err)
	}
	expect(t, status, fleet.PhaseSucceeded, fleet.PhaseSucceeded, fleet.PhaseSucceeded)
}

func TestRolloutSoaksBetweenWaves(t *testing.T) {
	t.Parallel()
	s := newScene(t, wave("canary", 1), wave("rest", 1))
	s.waves[0].Soak, s.waves[1].Soak = fleet.Duration(time.Hour), fleet.Duration(time.Hour)
	begin := s.Now()
	s.RegisterDelayedCallback(func() {
		if status := s.progress(t); status.Phase != fleet.PhaseSoaking || len(s.started) != 1 {
			t.Errorf("while it soaks: %+v, started %v", status, s.started)
		}
	}, 30*time.Minute)
	status, err := s.run()
	if err != nil {
		t.Fatal(err)
	}
	expect(t, status, fleet.PhaseSucceeded, fleet.PhaseSucceeded, fleet.PhaseSucceeded)
	if took := s.Now().Sub(begin); took < time.Hour || took > 90*time.Minute {
		t.Errorf("took %s: soaks once, after the first wave only", took)
	}
}

func TestChangeWaitsForTheLock(t *testing.T) {
	t.Parallel()
	s := newScene(t, wave("all", 1))
	s.takes["all-0"] = time.Minute
	holder := func(ctx workflow.Context) error {
		options := workflow.ChildWorkflowOptions{WorkflowID: workflows.ChangeID("all-0")}
		held := workflow.ExecuteChildWorkflow(workflow.WithChildOptions(ctx, options), workflows.ChangeWorkflow, workflows.ChangeInput{Operation: "other", Cluster: "all-0"})
		if err := held.GetChildWorkflowExecution().Get(ctx, nil); err != nil {
			return err
		}
		_, err := rollout.Rollout(ctx, workflows.RolloutInput{Rollout: "r1"})
		return err
	}
	s.RegisterWorkflow(holder)
	s.ExecuteWorkflow(holder)
	if err := s.GetWorkflowError(); err != nil {
		t.Fatal(err)
	}
	expect(t, s.final(), fleet.PhaseSucceeded, fleet.PhaseSucceeded)
	if s.mostRun != 1 || len(s.started) != 2 {
		t.Errorf("%d changes at once on one cluster, started %v", s.mostRun, s.started)
	}
	if len(s.changes) != 1 || s.changes[0].Phase != fleet.PhaseWaiting || s.changes[0].Name != "r1/all-0" {
		t.Errorf("recorded %+v, want Waiting once", s.changes)
	}
}

func TestPlanRollout(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	register(s, workflows.ActivityPlanRollout, func(input workflows.PlanInput) (fleet.RolloutPlan, error) {
		return fleet.RolloutPlan{Baseline: input.Spec.Baseline, Hash: "sha256:1"}, nil
	})
	s.ExecuteWorkflow(rollout.PlanRollout, workflows.PlanInput{Spec: fleet.RolloutSpec{Baseline: "platform@1.0.0"}})
	var plan fleet.RolloutPlan
	if err := s.GetWorkflowResult(&plan); err != nil || plan.Baseline != "platform@1.0.0" || plan.Hash != "sha256:1" {
		t.Errorf("%+v, %v", plan, err)
	}
}
