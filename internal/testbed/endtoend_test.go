package testbed_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/testbed"
)

// The whole of Meridian, as built into bin/, on four regions. The steps build
// on one another: onboarding under kill -9, rollouts under kill -9, then with
// a plugin and an API server taken away, then a baseline that never gets ready.
func TestFleetSurvives(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a whole fleet")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 12*time.Minute)
	defer cancel()
	seed := seedOf(t)
	f := &fleetUnderTest{random: rand.New(rand.NewPCG(seed, seed))}
	var err error
	if f.Fleetd, err = testbed.Start(ctx, "../../bin", testWriter{t}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Stop(); err != nil {
			t.Error(err)
		}
	})
	for _, step := range []struct {
		name string
		run  func(context.Context, *testing.T)
	}{
		{"onboarding under kill -9", f.onboardUnderKills},
		{"rollout under kill -9", f.rolloutUnderKills},
		{"two rollouts at once", f.twoRolloutsAtOnce},
		{"rollout while a control plane hangs", f.rolloutWhileControlPlaneHangs},
		{"rollout with a killed control plane", f.rolloutWhileControlPlaneDies},
		{"a component never gets ready", f.neverReady},
	} {
		if !t.Run(step.name, func(t *testing.T) { step.run(ctx, t) }) {
			t.Fatalf("seed %d\n%s", seed, f.LogTail())
		}
	}
}

type fleetUnderTest struct {
	*testbed.Fleetd
	random *rand.Rand
}

func (f *fleetUnderTest) onboardUnderKills(ctx context.Context, t *testing.T) {
	f.must(ctx, t, "apply", "-f", "testdata/fleet", "-f", "testdata/baselines")
	f.must(ctx, t, "region", "onboard", "--all")
	f.killPlugin(t, "fleet-provider-aws")
	for range 3 {
		f.killAndRelaunch(ctx, t, 6*time.Second)
	}
	f.must(ctx, t, "region", "onboard", "--all", "--wait")
	statuses, err := f.ClusterStatuses(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if len(statuses) != 4 {
		t.Errorf("%d clusters, not 4", len(statuses))
	}
	for cluster, status := range statuses {
		if status.Phase != fleet.ClusterReady || status.Nodes != 1 || status.ReadyNodes != 1 {
			t.Errorf("%s: %+v", cluster, status)
		}
	}
}

func (f *fleetUnderTest) rolloutUnderKills(ctx context.Context, t *testing.T) {
	rollout := f.start(ctx, t, "other@1.0.0")
	for range 3 {
		f.killAndRelaunch(ctx, t, 3*time.Second)
	}
	f.must(ctx, t, "rollout", "status", rollout, "--watch")
	f.expectEverywhere(ctx, t, "1")
}

// twoRolloutsAtOnce checks that changes to one cluster never overlap.
func (f *fleetUnderTest) twoRolloutsAtOnce(ctx context.Context, t *testing.T) {
	rollouts := []string{f.start(ctx, t, "other@2.0.0"), f.start(ctx, t, "other@1.0.0")}
	f.killAndRelaunch(ctx, t, 2*time.Second)
	for _, rollout := range rollouts {
		f.must(ctx, t, "rollout", "status", rollout, "--watch")
	}
	changes, err := f.List(ctx, "changes")
	if err != nil {
		t.Fatal(err)
	}
	type span struct{ from, to time.Time }
	spans := map[string][]span{}
	for _, change := range changes {
		spec, err := fleet.SpecOf[fleet.ClusterChangeSpec](change)
		if err != nil {
			t.Fatal(err)
		}
		status, err := fleet.StatusOf[fleet.ClusterChangeStatus](change)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Contains(rollouts, change.Metadata.Owner) {
			continue
		}
		if status.Phase != fleet.PhaseSucceeded || status.StartedAt == nil || status.FinishedAt == nil {
			t.Errorf("%s: %+v", change.Metadata.Name, status)
			continue
		}
		spans[spec.Cluster] = append(spans[spec.Cluster], span{*status.StartedAt, *status.FinishedAt})
	}
	for cluster, of := range spans {
		if len(of) != 2 || of[0].from.Before(of[1].to) && of[1].from.Before(of[0].to) {
			t.Errorf("%s: the two changes overlap or one is missing: %v", cluster, of)
		}
	}
	if len(spans) != 4 {
		t.Errorf("changes on %d clusters, not 4", len(spans))
	}
}

// rolloutWhileControlPlaneHangs freezes an API server for a while in its wave.
func (f *fleetUnderTest) rolloutWhileControlPlaneHangs(ctx context.Context, t *testing.T) {
	pid := f.controlPlane(t, "gcp-europe-west4")
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	rollout := f.start(ctx, t, "other@2.0.0")
	f.await(ctx, t, "the other clusters to be done", func() bool {
		done := 0
		for _, status := range f.changes(ctx, t, rollout) {
			if status.Phase == fleet.PhaseSucceeded {
				done++
			}
		}
		return done == 3
	})
	if err := syscall.Kill(pid, syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	f.must(ctx, t, "rollout", "status", rollout, "--watch")
	f.expectEverywhere(ctx, t, "2")
}

func (f *fleetUnderTest) rolloutWhileControlPlaneDies(ctx context.Context, t *testing.T) {
	rollout := f.start(ctx, t, "other@1.0.0")
	pid := f.controlPlane(t, "azure-swedencentral")
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	f.must(ctx, t, "rollout", "status", rollout, "--watch")
	f.expectEverywhere(ctx, t, "1")
}

func (f *fleetUnderTest) neverReady(ctx context.Context, t *testing.T) {
	out, err := exitOf(f.command(ctx, "rollout", "baseline", "stuck@1.0.0", "--strategy", "impatient", "--watch"))
	if err != 1 {
		t.Errorf("exit code %d, not 1 (failed)", err)
	}
	for _, want := range []string{"aws-eu-west-3", "Deployment", "stuck/lonely"} {
		if !strings.Contains(out, want) {
			t.Errorf("the output does not name %q:\n%s", want, out)
		}
	}
	rollouts, listErr := f.List(ctx, "rollouts")
	if listErr != nil {
		t.Fatal(listErr)
	}
	for _, rollout := range rollouts {
		spec, _ := fleet.SpecOf[fleet.RolloutSpec](rollout)
		if spec.Baseline != "stuck@1.0.0" {
			continue
		}
		for cluster, status := range f.changes(ctx, t, rollout.Metadata.Name) {
			want := fleet.PhaseSkipped
			if cluster == "aws-eu-west-3" {
				want = fleet.PhaseFailed
			}
			if status.Phase != want {
				t.Errorf("%s is %s, not %s", cluster, status.Phase, want)
			}
		}
		return
	}
	t.Error("no rollout of stuck@1.0.0 was recorded")
}

// killAndRelaunch kills fleetd at a random moment within a time, and starts it
// again.
func (f *fleetUnderTest) killAndRelaunch(ctx context.Context, t *testing.T, within time.Duration) {
	t.Helper()
	moment := time.Duration(f.random.Int64N(int64(within)))
	select {
	case <-time.After(moment):
	case <-ctx.Done():
		t.Fatal(ctx.Err())
	}
	t.Logf("kill -9 after %s", moment)
	f.Kill()
	if err := f.Launch(ctx); err != nil {
		t.Fatal(err)
	}
}

// killPlugin kills a plugin as soon as it runs.
func (f *fleetUnderTest) killPlugin(t *testing.T, binary string) {
	t.Helper()
	f.await(t.Context(), t, binary+" to run", func() bool { return len(f.Processes(binary)) > 0 })
	for _, pid := range f.Processes(binary) {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
}

func (f *fleetUnderTest) controlPlane(t *testing.T, cluster string) int {
	t.Helper()
	pids := f.Processes("kubebox", "cluster", cluster)
	if len(pids) != 1 {
		t.Fatalf("%d control planes of %s, not 1", len(pids), cluster)
	}
	return pids[0]
}

// start starts a rollout and returns its id.
func (f *fleetUnderTest) start(ctx context.Context, t *testing.T, baseline string) string {
	t.Helper()
	out, err := f.Output(ctx, "rollout", "baseline", baseline, "--strategy", "two-waves", "-o", "name")
	if err != nil {
		t.Fatal(err)
	}
	_, rollout, found := strings.Cut(strings.TrimSpace(string(out)), "/")
	if !found {
		t.Fatalf("no rollout in %q", out)
	}
	return rollout
}

func (f *fleetUnderTest) changes(ctx context.Context, t *testing.T, rollout string) map[string]fleet.ClusterChangeStatus {
	t.Helper()
	out, err := f.Output(ctx, "get", "changes", "--owner", rollout, "-o", "json")
	if err != nil {
		t.Fatal(err)
	}
	var list struct{ Items []fleet.Resource }
	if err := json.Unmarshal(out, &list); err != nil {
		t.Fatal(err)
	}
	statuses := map[string]fleet.ClusterChangeStatus{}
	for _, change := range list.Items {
		spec, _ := fleet.SpecOf[fleet.ClusterChangeSpec](change)
		status, err := fleet.StatusOf[fleet.ClusterChangeStatus](change)
		if err != nil {
			t.Fatal(err)
		}
		statuses[spec.Cluster] = status
	}
	return statuses
}

// expectEverywhere checks on the clusters themselves that every object of the
// baseline is there at a version.
func (f *fleetUnderTest) expectEverywhere(ctx context.Context, t *testing.T, version string) {
	t.Helper()
	statuses, err := f.ClusterStatuses(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for cluster, status := range statuses {
		if status.Baseline == nil || status.Baseline.Applied != "other@"+version+".0.0" {
			t.Errorf("%s: recorded baseline %+v", cluster, status.Baseline)
		}
		config, err := f.RESTConfig(ctx, cluster)
		if err != nil {
			t.Fatal(err)
		}
		client, err := kubernetes.NewForConfig(config)
		if err != nil {
			t.Fatal(err)
		}
		if err := checkCluster(ctx, client, version); err != nil {
			t.Errorf("%s: %v", cluster, err)
		}
	}
}

func checkCluster(ctx context.Context, client kubernetes.Interface, version string) error {
	settings, err := client.CoreV1().ConfigMaps("other").List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	found := 0
	for _, setting := range settings.Items {
		if !strings.HasPrefix(setting.Name, "setting-") {
			continue
		}
		found++
		if setting.Data["version"] != version {
			return fmt.Errorf("%s is at version %s, not %s", setting.Name, setting.Data["version"], version)
		}
	}
	if found != 40 {
		return fmt.Errorf("%d settings, not 40", found)
	}
	web, err := client.AppsV1().Deployments("other").Get(ctx, "web", metav1.GetOptions{})
	if err != nil {
		return err
	}
	if web.Labels["version"] != version || !available(web) {
		return fmt.Errorf("deployment web is at version %s with %d replicas ready", web.Labels["version"], web.Status.ReadyReplicas)
	}
	return nil
}

func available(deployment *appsv1.Deployment) bool {
	return deployment.Status.ObservedGeneration == deployment.Generation && deployment.Status.UpdatedReplicas == 2 && deployment.Status.AvailableReplicas == 2
}

func (f *fleetUnderTest) must(ctx context.Context, t *testing.T, arguments ...string) {
	t.Helper()
	if err := f.Fleetctl(ctx, arguments...); err != nil {
		t.Fatal(err)
	}
}

func (f *fleetUnderTest) command(ctx context.Context, arguments ...string) *exec.Cmd {
	command := exec.CommandContext(ctx, f.Bin+"/fleetctl", arguments...)
	command.Env = append(os.Environ(), "MERIDIAN_CONFIG="+f.DataDir+"/client.json")
	return command
}

// await polls for a condition until the test's time is up.
func (f *fleetUnderTest) await(ctx context.Context, t *testing.T, what string, condition func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	for !condition() {
		select {
		case <-ctx.Done():
			t.Fatalf("waited in vain for %s", what)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func exitOf(command *exec.Cmd) (string, int) {
	out, err := command.CombinedOutput()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return string(out), exit.ExitCode()
	}
	return string(out), 0
}

// seedOf takes MERIDIAN_SEED, or a new seed, and records it in the output.
func seedOf(t *testing.T) uint64 {
	seed := uint64(time.Now().UnixNano())
	if given := os.Getenv("MERIDIAN_SEED"); given != "" {
		var err error
		if seed, err = strconv.ParseUint(given, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("MERIDIAN_SEED=%d repeats the moments of this run", seed)
	return seed
}

type testWriter struct{ t *testing.T }

func (w testWriter) Write(p []byte) (int, error) {
	w.t.Log(string(bytes.TrimRight(p, "\n")))
	return len(p), nil
}
