package onboarding_test

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/workflows"
	"github.com/meridian-fleet/meridian/workflows/onboarding"
)

// scene is an onboarding in a test environment: what there is to onboard, what
// goes wrong, and everything that was done.
type scene struct {
	*testsuite.TestWorkflowEnvironment

	region workflows.ResolvedRegion
	fails  map[string]error // by activity, or activity and cluster
	blocks string           // activity that waits until it is cancelled

	mutex   sync.Mutex
	steps   []string
	removed []workflows.RemoveInput
	records []fleet.RegionStatus
	changes []workflows.ChangeInput
}

func newScene(t *testing.T, clusters ...workflows.ResolvedCluster) *scene {
	t.Helper()
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(log.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	s := &scene{TestWorkflowEnvironment: suite.NewTestWorkflowEnvironment(), fails: map[string]error{}}
	s.region = workflows.ResolvedRegion{Facts: fleet.RegionFacts{Country: "DE"}, Baseline: "platform@1.0.0", Clusters: clusters}
	s.SetTestTimeout(30 * time.Second)
	s.RegisterWorkflowWithOptions(s.change, workflow.RegisterOptions{Name: workflows.ChangeWorkflow})
	s.RegisterActivityWithOptions(func(workflows.OnboardingInput) (workflows.ResolvedRegion, error) {
		return s.region, s.fails[workflows.ActivityResolveRegion]
	}, activity.RegisterOptions{Name: workflows.ActivityResolveRegion})
	for _, name := range []string{workflows.ActivityProvisionCluster, workflows.ActivityAwaitCluster, workflows.ActivityObserveCluster} {
		s.RegisterActivityWithOptions(s.step(name), activity.RegisterOptions{Name: name})
	}
	note(s, workflows.ActivityRemoveCluster, func(input workflows.RemoveInput) { s.removed = append(s.removed, input) })
	note(s, workflows.ActivityRecordRegion, func(input workflows.RegionRecord) { s.records = append(s.records, input.Status) })
	note(s, workflows.ActivityDeclareChanges, func(workflows.DeclareInput) {})
	note(s, workflows.ActivityRecordChange, func(workflows.ChangeRecord) {})
	return s
}

func note[In any](s *scene, name string, do func(In)) {
	s.RegisterActivityWithOptions(func(input In) (struct{}, error) {
		s.mutex.Lock()
		defer s.mutex.Unlock()
		do(input)
		return struct{}{}, s.fails[name]
	}, activity.RegisterOptions{Name: name})
}

func (s *scene) step(name string) any {
	return func(ctx context.Context, step workflows.ClusterStep) (struct{}, error) {
		s.mutex.Lock()
		s.steps = append(s.steps, name+" "+step.Cluster)
		s.mutex.Unlock()
		if s.blocks == name {
			s.SignalWorkflow(workflows.SignalAbort, workflows.Control{Actor: "ada", Reason: "wrong region"})
			activity.RecordHeartbeat(ctx)
			<-ctx.Done()
			return struct{}{}, temporal.NewCanceledError()
		}
		if err := s.fails[name+" "+step.Cluster]; err != nil {
			return struct{}{}, err
		}
		return struct{}{}, s.fails[name]
	}
}

// change stands in for the child workflow.
func (s *scene) change(ctx workflow.Context, input workflows.ChangeInput) (fleet.ClusterChangeStatus, error) {
	s.changes = append(s.changes, input)
	if s.blocks == workflows.ChangeWorkflow {
		return fleet.ClusterChangeStatus{}, workflow.Sleep(ctx, time.Hour)
	}
	return fleet.ClusterChangeStatus{}, s.fails[workflows.ChangeWorkflow]
}

func (s *scene) run() (fleet.RegionStatus, error) {
	s.ExecuteWorkflow(onboarding.OnboardRegion, workflows.OnboardingInput{Region: "aws/eu-central-1", Actor: "ada"})
	return s.records[len(s.records)-1], s.GetWorkflowError()
}

var fresh = workflows.ResolvedCluster{Name: "aws-eu-central-1", Recorded: true}

func TestOnboardingBringsARegionIn(t *testing.T) {
	t.Parallel()
	second := workflows.ResolvedCluster{Name: "second"}
	s := newScene(t, fresh, second)
	status, err := s.run()
	if err != nil {
		t.Fatal(err)
	}
	if status.Phase != fleet.RegionReady || status.OnboardedAt == nil || status.Step != "" || status.Facts.Country != "DE" {
		t.Errorf("status %+v", status)
	}
	if len(s.steps) != 6 || len(s.removed) != 0 {
		t.Errorf("steps %v, removed %v", s.steps, s.removed)
	}
	if len(s.changes) != 2 || s.changes[0].Baseline != "platform@1.0.0" || s.changes[0].Operation != "onboarding/aws/eu-central-1" {
		t.Errorf("changes %+v", s.changes)
	}
}

func TestOnboardingSaysWhatItDoes(t *testing.T) {
	t.Parallel()
	s := newScene(t, fresh)
	if _, err := s.run(); err != nil {
		t.Fatal(err)
	}
	var steps []string
	for _, record := range s.records {
		steps = append(steps, record.Step)
	}
	want := []string{"resolving", "applying Cluster API objects", "waiting for Cluster API", "observing the cluster", "installing baseline platform@1.0.0", "", ""}
	if !slices.Equal(steps, want) {
		t.Errorf("steps %q, want %q", steps, want)
	}
}

func TestOnboardingLeavesABaselineThatIsThere(t *testing.T) {
	t.Parallel()
	s := newScene(t, workflows.ResolvedCluster{Name: "c", Existed: true, Baseline: "platform@1.1.0"})
	status, err := s.run()
	if err != nil || status.Phase != fleet.RegionReady || len(s.changes) != 0 {
		t.Errorf("%v, %+v, changes %v", err, status, s.changes)
	}
}

func TestOnboardingThatFailsRemovesWhatItMade(t *testing.T) {
	t.Parallel()
	existed := workflows.ResolvedCluster{Name: "existed", Existed: true}
	for _, step := range []string{workflows.ActivityProvisionCluster, workflows.ActivityAwaitCluster, workflows.ActivityObserveCluster, workflows.ChangeWorkflow} {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			s := newScene(t, fresh, existed)
			s.fails[step] = workflows.Fail(fleet.Errorf(fleet.ErrNeedsHuman, "the account has no quota"))
			status, err := s.run()
			if workflows.KindOf(err) != fleet.ErrNeedsHuman {
				t.Errorf("failed with %v", err)
			}
			if status.Phase != fleet.RegionFailed || !strings.Contains(status.Message, "the account has no quota") {
				t.Errorf("status %+v", status)
			}
			if len(s.removed) != 1 || s.removed[0].Cluster != fresh.Name || !s.removed[0].Forget {
				t.Errorf("removed %+v, want the new cluster only", s.removed)
			}
		})
	}
}

func TestOnboardingOfAnUnknownRegion(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.fails[workflows.ActivityResolveRegion] = workflows.Fail(fleet.Errorf(fleet.ErrNotFound, "aws has no region %q", "eu-central-9"))
	status, err := s.run()
	if workflows.KindOf(err) != fleet.ErrNotFound || status.Phase != fleet.RegionFailed || len(s.removed) != 0 {
		t.Errorf("%v, %+v, removed %v", err, status, s.removed)
	}
}

func TestOnboardingSaysWhatCouldNotBeRemoved(t *testing.T) {
	t.Parallel()
	s := newScene(t, fresh)
	s.fails[workflows.ActivityAwaitCluster] = workflows.Fail(fleet.Errorf(fleet.ErrWaiting, "not ready"))
	s.fails[workflows.ActivityRemoveCluster] = workflows.Fail(fleet.Errorf(fleet.ErrDenied, "may not delete"))
	status, _ := s.run()
	if !strings.Contains(status.Message, "not removed: cluster aws-eu-central-1 (may not delete)") {
		t.Errorf("message %q", status.Message)
	}
}

func TestOnboardingRetriesWhatIsUnavailable(t *testing.T) {
	t.Parallel()
	s := newScene(t, fresh)
	s.fails[workflows.ActivityProvisionCluster] = workflows.Fail(fleet.Errorf(fleet.ErrUnavailable, "the plugin died"))
	s.RegisterDelayedCallback(func() {
		s.mutex.Lock()
		defer s.mutex.Unlock()
		delete(s.fails, workflows.ActivityProvisionCluster)
	}, time.Minute)
	if status, err := s.run(); err != nil || status.Phase != fleet.RegionReady {
		t.Errorf("%v, %+v", err, status)
	}
}

func TestOnboardingAborted(t *testing.T) {
	t.Parallel()
	for _, step := range []string{workflows.ActivityProvisionCluster, workflows.ActivityAwaitCluster, workflows.ActivityObserveCluster, workflows.ChangeWorkflow} {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			s := newScene(t, fresh)
			s.blocks = step
			if step == workflows.ChangeWorkflow {
				s.RegisterDelayedCallback(func() {
					s.SignalWorkflow(workflows.SignalAbort, workflows.Control{Actor: "ada", Reason: "wrong region"})
				}, time.Minute)
			}
			status, err := s.run()
			if err != nil {
				t.Fatal(err)
			}
			if status.Phase != fleet.RegionAborted || status.Message != "aborted by ada: wrong region" {
				t.Errorf("status %+v", status)
			}
			if len(s.removed) != 1 {
				t.Errorf("removed %+v", s.removed)
			}
		})
	}
}
