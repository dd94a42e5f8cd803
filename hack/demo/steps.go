package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

const regionsWanted = 16

func run(ctx context.Context) (err error) {
	started := time.Now()
	say("Start fleetd: Temporal, the inventory and sixteen regions' worth of cloud, all on this machine")
	s, err := startFleetd(ctx)
	if err != nil {
		return err
	}
	defer func() {
		if stopErr := s.stop(); err == nil {
			err = stopErr
		}
		if err == nil {
			fmt.Printf("\nDone in %s, nothing left running.\n", time.Since(started).Round(time.Second))
		}
	}()

	fleetStarted := time.Now()
	for _, step := range []func(context.Context, *stage) error{
		declare, onboard, firstRollout,
	} {
		if err := step(ctx, s); err != nil {
			return err
		}
	}
	fmt.Printf("\n%d regions are on platform@1.0.0, %s after the first command.\n", regionsWanted, time.Since(fleetStarted).Round(time.Second))
	for _, step := range []func(context.Context, *stage) error{
		rejectBadPod, secondRollout, driftAndHeal, showFleet,
	} {
		if err := step(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

func declare(ctx context.Context, s *stage) error {
	say("Declare the fleet: profiles, a strategy, regions and two versions of a baseline")
	return s.fleetctl(ctx, "apply", "-f", "deploy/examples")
}

func onboard(ctx context.Context, s *stage) error {
	say("Onboard every region: Temporal workflows drive Cluster API")
	if err := s.fleetctl(ctx, "region", "onboard", "--all", "--wait"); err != nil {
		return err
	}
	clusters, err := s.clusters(ctx)
	if err != nil {
		return err
	}
	for _, cluster := range clusters {
		status, err := fleet.StatusOf[fleet.ClusterStatus](cluster)
		if err != nil {
			return err
		}
		if status.Phase != fleet.ClusterReady || status.Nodes == 0 || status.ReadyNodes != status.Nodes {
			return fmt.Errorf("cluster %s is %s with %d of %d nodes ready", cluster.Metadata.Name, status.Phase, status.ReadyNodes, status.Nodes)
		}
	}
	if len(clusters) != regionsWanted {
		return fmt.Errorf("%d clusters came up, not %d", len(clusters), regionsWanted)
	}
	return s.fleetctl(ctx, "get", "clusters")
}

func firstRollout(ctx context.Context, s *stage) error {
	say("Plan, then roll out platform@1.0.0: policies, GPU driver and scheduler, in three waves")
	if err := s.fleetctl(ctx, "rollout", "baseline", "platform@1.0.0", "--strategy", "three-waves", "--plan"); err != nil {
		return err
	}
	if err := s.fleetctl(ctx, "rollout", "baseline", "platform@1.0.0", "--strategy", "three-waves", "--watch"); err != nil {
		return err
	}
	return s.expectBaseline(ctx, "platform@1.0.0")
}

// rejectBadPod asks one API server of each cloud for a privileged pod without
// limits or labels.
func rejectBadPod(ctx context.Context, s *stage) error {
	say("Ask one cluster of each cloud for a privileged pod with no limits, no labels and an unknown image")
	for _, cluster := range []string{"aws-eu-central-1", "gcp-europe-west9", "azure-germanywestcentral"} {
		client, err := s.kubernetes(ctx, cluster)
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

func secondRollout(ctx context.Context, s *stage) error {
	say("Roll out platform@1.1.0: only what differs is touched")
	if err := s.fleetctl(ctx, "rollout", "baseline", "platform@1.1.0", "--strategy", "three-waves", "--plan"); err != nil {
		return err
	}
	if err := s.fleetctl(ctx, "rollout", "baseline", "platform@1.1.0", "--strategy", "three-waves", "--watch"); err != nil {
		return err
	}
	if err := s.expectBaseline(ctx, "platform@1.1.0"); err != nil {
		return err
	}
	changes, err := s.list(ctx, "changes")
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

func driftAndHeal(ctx context.Context, s *stage) error {
	const cluster = "gcp-europe-west9"
	client, err := s.kubernetes(ctx, cluster)
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
	if err := s.fleetctl(ctx, "drift", "list", "--check"); err != nil {
		return err
	}
	found, err := s.drifted(ctx)
	if err != nil {
		return err
	}
	if !strings.Contains(found[cluster], victim) || len(found) != 1 {
		return fmt.Errorf("drift should name %s on %s alone, but found %v", victim, cluster, found)
	}
	if err := s.fleetctl(ctx, "drift", "heal"); err != nil {
		return err
	}
	if _, err := policies.Get(ctx, victim, metav1.GetOptions{}); err != nil {
		return fmt.Errorf("healed, but: %w", err)
	}
	if err := s.fleetctl(ctx, "drift", "list", "--check"); err != nil {
		return err
	}
	if found, err = s.drifted(ctx); err == nil && len(found) > 0 {
		err = fmt.Errorf("still drifted after healing: %v", found)
	}
	return err
}

func showFleet(ctx context.Context, s *stage) error {
	say("The fleet")
	return s.fleetctl(ctx, "get", "clusters", "-o", "wide")
}

func (s *stage) expectBaseline(ctx context.Context, baseline string) error {
	clusters, err := s.clusters(ctx)
	if err != nil {
		return err
	}
	for _, cluster := range clusters {
		status, err := fleet.StatusOf[fleet.ClusterStatus](cluster)
		if err != nil {
			return err
		}
		if status.Baseline == nil || status.Baseline.Applied != baseline {
			return fmt.Errorf("cluster %s is not on %s", cluster.Metadata.Name, baseline)
		}
	}
	return nil
}

// drifted is what each drifted cluster differs in.
func (s *stage) drifted(ctx context.Context) (map[string]string, error) {
	clusters, err := s.clusters(ctx)
	if err != nil {
		return nil, err
	}
	found := map[string]string{}
	for _, cluster := range clusters {
		status, err := fleet.StatusOf[fleet.ClusterStatus](cluster)
		if err != nil {
			return nil, err
		}
		if status.Drift == nil {
			return nil, fmt.Errorf("cluster %s was never checked for drift", cluster.Metadata.Name)
		}
		for _, finding := range status.Drift.Findings {
			found[cluster.Metadata.Name] += finding.Type + " " + finding.Object + "; "
		}
	}
	return found, nil
}

func (s *stage) clusters(ctx context.Context) ([]fleet.Resource, error) {
	return s.list(ctx, "clusters")
}

func (s *stage) list(ctx context.Context, kind string) ([]fleet.Resource, error) {
	out, err := s.output(ctx, "get", kind, "-o", "json")
	if err != nil {
		return nil, err
	}
	var list struct{ Items []fleet.Resource }
	return list.Items, json.Unmarshal(out, &list)
}

func (s *stage) kubernetes(ctx context.Context, cluster string) (*kubernetes.Clientset, error) {
	kubeconfig, err := s.output(ctx, "cluster", "kubeconfig", cluster)
	if err != nil {
		return nil, err
	}
	config, err := clientcmd.RESTConfigFromKubeConfig(kubeconfig)
	if err != nil {
		return nil, err
	}
	return kubernetes.NewForConfig(config)
}
