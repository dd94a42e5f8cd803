package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/testbed"
)

const regionsWanted = 16

// demo is the running fleet the steps act on.
type demo struct{ *testbed.Fleetd }

func run(ctx context.Context) (err error) {
	started := time.Now()
	say("Start fleetd: Temporal, the inventory and sixteen regions' worth of cloud, all on this machine")
	fleetd, err := testbed.Start(ctx, "bin", os.Stdout)
	if err != nil {
		return err
	}
	defer func() {
		say("Shut down")
		if stopErr := fleetd.Stop(); err == nil {
			err = stopErr
		}
		if err == nil {
			fmt.Printf("Done in %s, nothing left running.\n", time.Since(started).Round(time.Second))
		}
	}()
	return demo{fleetd}.steps(ctx)
}

func (d demo) steps(ctx context.Context) error {
	started := time.Now()
	for _, step := range []func(context.Context) error{d.declare, d.onboard, d.firstRollout} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	fmt.Printf("\n%d regions are on platform@1.0.0, %s after the first command.\n", regionsWanted, time.Since(started).Round(time.Second))
	for _, step := range []func(context.Context) error{d.rejectBadPod, d.secondRollout, d.driftAndHeal, d.askWhere, d.rejectForeignData, d.proveIt, d.showFleet} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (d demo) declare(ctx context.Context) error {
	say("Declare the residency rules, a shop's data, and the fleet: profiles, a strategy, regions and two versions of a baseline")
	if err := d.Fleetctl(ctx, "apply", "-f", "deploy/residency", "-f", "deploy/shop", "-o", "name"); err != nil {
		return err
	}
	return d.Fleetctl(ctx, "apply", "-f", "deploy/examples")
}

func (d demo) onboard(ctx context.Context) error {
	say("Onboard every region: Temporal workflows drive Cluster API")
	if err := d.Fleetctl(ctx, "region", "onboard", "--all", "--wait"); err != nil {
		return err
	}
	clusters, err := d.ClusterStatuses(ctx)
	if err != nil {
		return err
	}
	for cluster, status := range clusters {
		if status.Phase != fleet.ClusterReady || status.Nodes == 0 || status.ReadyNodes != status.Nodes {
			return fmt.Errorf("cluster %s is %s with %d of %d nodes ready", cluster, status.Phase, status.ReadyNodes, status.Nodes)
		}
	}
	if len(clusters) != regionsWanted {
		return fmt.Errorf("%d clusters came up, not %d", len(clusters), regionsWanted)
	}
	return d.Fleetctl(ctx, "get", "clusters")
}

func (d demo) firstRollout(ctx context.Context) error {
	say("Plan, then roll out platform@1.0.0: policies, GPU driver and scheduler, in three waves")
	if err := d.Fleetctl(ctx, "rollout", "baseline", "platform@1.0.0", "--strategy", "three-waves", "--plan"); err != nil {
		return err
	}
	if err := d.Fleetctl(ctx, "rollout", "baseline", "platform@1.0.0", "--strategy", "three-waves", "--watch"); err != nil {
		return err
	}
	return d.expectBaseline(ctx, "platform@1.0.0")
}

// rejectBadPod asks one API server of each cloud for a privileged pod without
// limits or labels.
func (d demo) rejectBadPod(ctx context.Context) error {
	say("Ask one cluster of each cloud for a privileged pod with no limits, no labels and an unknown image")
	for _, cluster := range []string{"aws-eu-central-1", "gcp-europe-west9", "azure-germanywestcentral"} {
		client, err := d.kubernetes(ctx, cluster)
		if err != nil {
			return err
		}
		privileged := true
		_, err = client.CoreV1().Pods("default").Create(ctx, &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Name: "intruder"},
			Spec: corev1.PodSpec{Containers: []corev1.Container{{
				Name: "intruder", Image: "example.com/intruder:latest",
				SecurityContext: &corev1.SecurityContext{Privileged: &privileged},
			}}},
		}, metav1.CreateOptions{})
		if err == nil {
			return fmt.Errorf("%s took the pod", cluster)
		}
		if !apierrors.IsForbidden(err) && !apierrors.IsInvalid(err) {
			return fmt.Errorf("%s refused the pod for another reason: %w", cluster, err)
		}
		fmt.Printf("  %s: %v\n", cluster, err)
	}
	return nil
}

func (d demo) secondRollout(ctx context.Context) error {
	say("Roll out platform@1.1.0: only what differs is touched")
	if err := d.Fleetctl(ctx, "rollout", "baseline", "platform@1.1.0", "--strategy", "three-waves", "--plan"); err != nil {
		return err
	}
	if err := d.Fleetctl(ctx, "rollout", "baseline", "platform@1.1.0", "--strategy", "three-waves", "--watch"); err != nil {
		return err
	}
	if err := d.expectBaseline(ctx, "platform@1.1.0"); err != nil {
		return err
	}
	changes, err := d.List(ctx, "changes")
	if err != nil {
		return err
	}
	for _, change := range changes {
		spec, err := fleet.SpecOf[fleet.ClusterChangeSpec](change)
		if err != nil {
			return err
		}
		status, err := fleet.StatusOf[fleet.ClusterChangeStatus](change)
		if err != nil {
			return err
		}
		if spec.Baseline == "platform@1.1.0" && (status.Unchanged == 0 || status.Created+status.Configured >= status.Unchanged) {
			return fmt.Errorf("%s: %d created, %d configured, %d unchanged: the second rollout touched more than what differs", spec.Cluster, status.Created, status.Configured, status.Unchanged)
		}
	}
	return nil
}

func (d demo) driftAndHeal(ctx context.Context) error {
	const cluster = "gcp-europe-west9"
	client, err := d.kubernetes(ctx, cluster)
	if err != nil {
		return err
	}
	policies := client.AdmissionregistrationV1().ValidatingAdmissionPolicies()
	all, err := policies.List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	managed := slices.DeleteFunc(all.Items, func(policy admissionregistrationv1.ValidatingAdmissionPolicy) bool { return len(policy.Labels) == 0 })
	if len(managed) == 0 {
		return errors.New("no policy of the baseline to delete on " + cluster)
	}
	victim := managed[0].Name
	say(fmt.Sprintf("Somebody deletes policy %s on %s", victim, cluster))
	if err := policies.Delete(ctx, victim, metav1.DeleteOptions{}); err != nil {
		return err
	}
	if err := d.Fleetctl(ctx, "drift", "list", "--check"); err != nil {
		return err
	}
	found, err := d.drifted(ctx)
	if err != nil {
		return err
	}
	if !strings.Contains(found[cluster], victim) || len(found) != 1 {
		return fmt.Errorf("drift should name %s on %s alone, but found %v", victim, cluster, found)
	}
	if err := d.Fleetctl(ctx, "drift", "heal"); err != nil {
		return err
	}
	if _, err := policies.Get(ctx, victim, metav1.GetOptions{}); err != nil {
		return fmt.Errorf("healed, but: %w", err)
	}
	if err := d.Fleetctl(ctx, "drift", "list", "--check"); err != nil {
		return err
	}
	if found, err = d.drifted(ctx); err == nil && len(found) > 0 {
		err = fmt.Errorf("still drifted after healing: %v", found)
	}
	return err
}

func (d demo) showFleet(ctx context.Context) error {
	say("The fleet")
	return d.Fleetctl(ctx, "get", "clusters", "-o", "wide")
}

func (d demo) expectBaseline(ctx context.Context, baseline string) error {
	clusters, err := d.ClusterStatuses(ctx)
	if err != nil {
		return err
	}
	for cluster, status := range clusters {
		if status.Baseline == nil || status.Baseline.Applied != baseline {
			return fmt.Errorf("cluster %s is not on %s", cluster, baseline)
		}
	}
	return nil
}

// drifted is what each drifted cluster differs in.
func (d demo) drifted(ctx context.Context) (map[string]string, error) {
	clusters, err := d.ClusterStatuses(ctx)
	if err != nil {
		return nil, err
	}
	found := map[string]string{}
	for cluster, status := range clusters {
		if status.Drift == nil {
			return nil, fmt.Errorf("cluster %s was never checked for drift", cluster)
		}
		for _, finding := range status.Drift.Findings {
			found[cluster] += finding.Type + " " + finding.Object + "; "
		}
	}
	return found, nil
}

func (d demo) kubernetes(ctx context.Context, cluster string) (*kubernetes.Clientset, error) {
	config, err := d.RESTConfig(ctx, cluster)
	if err != nil {
		return nil, err
	}
	return kubernetes.NewForConfig(config)
}

func say(text string) { fmt.Printf("\n== %s\n\n", text) }
