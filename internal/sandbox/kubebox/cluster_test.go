package main

import (
	"context"
	"errors"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestWorkloadsRun(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	startEtcd(t, dir)
	c := startCluster(t, dir, "cluster")
	c.apply("nodes.yaml")
	c.createNamespace("demo")
	c.checkNodes()
	c.apply("workloads.yaml")
	c.apply("dra.yaml")
	c.apply("second-scheduler.yaml")
	c.checkWorkloads()
	c.checkGPUs()
	c.checkSecondScheduler()
	c.checkPolicy()
	c.checkWebhook()
	c.checkNamespaceDeletion()
}

func (c *cluster) createNamespace(name string) {
	c.Helper()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}
	if _, err := c.typed.CoreV1().Namespaces().Create(c.Context(), namespace, metav1.CreateOptions{}); err != nil {
		c.Fatal(err)
	}
	c.eventually("the service account of "+name, func(ctx context.Context) (bool, error) {
		_, err := c.typed.CoreV1().ServiceAccounts(name).Get(ctx, "default", metav1.GetOptions{})
		return true, err
	})
}

func (c *cluster) checkNodes() {
	c.Helper()
	c.eventually("the simulated nodes, and only them, to be ready", func(ctx context.Context) (bool, error) {
		nodes, err := c.typed.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
		if err != nil {
			return false, err
		}
		var ready []string
		for _, node := range nodes.Items {
			if slices.ContainsFunc(node.Status.Conditions, func(condition corev1.NodeCondition) bool {
				return condition.Type == corev1.NodeReady && condition.Status == corev1.ConditionTrue
			}) {
				ready = append(ready, node.Name)
			}
		}
		return slices.Equal(ready, []string{"cpu-0", "gpu-0"}), nil
	})
}

func (c *cluster) checkWorkloads() {
	c.Helper()
	apps := c.typed.AppsV1()
	c.eventually("the Deployment", func(ctx context.Context) (bool, error) {
		web, err := apps.Deployments("demo").Get(ctx, "web", metav1.GetOptions{})
		return err == nil && web.Status.AvailableReplicas == 3, err
	})
	c.eventually("the DaemonSet on both simulated nodes", func(ctx context.Context) (bool, error) {
		agent, err := apps.DaemonSets("demo").Get(ctx, "agent", metav1.GetOptions{})
		return err == nil && agent.Status.NumberAvailable == 2, err
	})
	c.eventually("the StatefulSet", func(ctx context.Context) (bool, error) {
		store, err := apps.StatefulSets("demo").Get(ctx, "store", metav1.GetOptions{})
		return err == nil && store.Status.AvailableReplicas == 2, err
	})
	c.eventually("the Job", func(ctx context.Context) (bool, error) {
		once, err := c.typed.BatchV1().Jobs("demo").Get(ctx, "once", metav1.GetOptions{})
		return err == nil && once.Status.Succeeded == 1, err
	})
	c.eventually("the Service's endpoints", func(ctx context.Context) (bool, error) {
		list, err := c.typed.DiscoveryV1().EndpointSlices("demo").List(ctx, metav1.ListOptions{LabelSelector: "kubernetes.io/service-name=web"})
		return err == nil && len(list.Items) == 1 && len(list.Items[0].Endpoints) == 3, err
	})
}

func (c *cluster) checkGPUs() {
	c.Helper()
	c.eventually("eight GPUs to hold two of three pods with four each", func(ctx context.Context) (bool, error) {
		trainer, err := c.typed.AppsV1().Deployments("demo").Get(ctx, "trainer", metav1.GetOptions{})
		return err == nil && trainer.Status.AvailableReplicas == 2, err
	})
	c.eventually("the third to be unschedulable", func(ctx context.Context) (bool, error) {
		pods, err := c.typed.CoreV1().Pods("demo").List(ctx, metav1.ListOptions{LabelSelector: "app=trainer"})
		if err != nil {
			return false, err
		}
		return slices.ContainsFunc(pods.Items, func(pod corev1.Pod) bool {
			return slices.ContainsFunc(pod.Status.Conditions, func(condition corev1.PodCondition) bool {
				return condition.Reason == corev1.PodReasonUnschedulable
			})
		}), nil
	})
	c.eventually("the pod with a device claim", func(ctx context.Context) (bool, error) {
		claimant, err := c.typed.CoreV1().Pods("demo").Get(ctx, "claimant", metav1.GetOptions{})
		return err == nil && claimant.Status.Phase == corev1.PodRunning && claimant.Spec.NodeName == "gpu-0", err
	})
}

// checkSecondScheduler expects the pod that waits for the second scheduler to
// wait until that has the rights it needs.
func (c *cluster) checkSecondScheduler() {
	c.Helper()
	c.eventually("the second scheduler's pods", func(ctx context.Context) (bool, error) {
		packer, err := c.typed.AppsV1().Deployments("demo").Get(ctx, "packer", metav1.GetOptions{})
		return err == nil && packer.Status.AvailableReplicas == 2, err
	})
	packed, err := c.typed.CoreV1().Pods("demo").Get(c.Context(), "packed", metav1.GetOptions{})
	if err != nil || packed.Spec.NodeName != "" {
		c.Fatalf("scheduled without a scheduler that may: %q %v", packed.Spec.NodeName, err)
	}
	c.apply("second-scheduler-rights.yaml")
	c.eventually("the second scheduler to schedule", func(ctx context.Context) (bool, error) {
		packed, err := c.typed.CoreV1().Pods("demo").Get(ctx, "packed", metav1.GetOptions{})
		return err == nil && packed.Status.Phase == corev1.PodRunning, err
	})
}

func pod(name, image string) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "demo"},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "main", Image: image}}},
	}
}

func (c *cluster) checkPolicy() {
	c.Helper()
	c.apply("policy.yaml")
	dryRun := metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}}
	c.eventually("the policy to reject a pod", func(ctx context.Context) (bool, error) {
		_, err := c.typed.CoreV1().Pods("demo").Create(ctx, pod("bad", "registry.example/web:latest"), dryRun)
		if err == nil {
			return false, nil
		}
		if !apierrors.IsInvalid(err) || !strings.Contains(err.Error(), "the tag latest is forbidden") {
			return false, err
		}
		return true, nil
	})
	if _, err := c.typed.CoreV1().Pods("demo").Create(c.Context(), pod("good", "registry.example/web:1"), dryRun); err != nil {
		c.Errorf("the policy rejects a good pod: %v", err)
	}
}

func (c *cluster) checkNamespaceDeletion() {
	c.Helper()
	if err := c.typed.CoreV1().Namespaces().Delete(c.Context(), "demo", metav1.DeleteOptions{}); err != nil {
		c.Fatal(err)
	}
	c.eventually("the namespace and all in it to be gone", func(ctx context.Context) (bool, error) {
		_, err := c.typed.CoreV1().Namespaces().Get(ctx, "demo", metav1.GetOptions{})
		return apierrors.IsNotFound(err), nil
	})
}

func TestDataOutlivesProcesses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	store := startEtcd(t, dir)
	first := startCluster(t, dir, "cluster", "--kubernetes-version", "v1.35.4")
	first.createNamespace("kept")
	first.kill(t)
	store.kill(t)

	startEtcd(t, dir)
	second := startCluster(t, dir, "cluster")
	if second.endpoint != first.endpoint {
		t.Errorf("the endpoint changed from %s to %s", first.endpoint, second.endpoint)
	}
	// With the client of before: the credentials are the same, too.
	if _, err := first.typed.CoreV1().Namespaces().Get(t.Context(), "kept", metav1.GetOptions{}); err != nil {
		t.Errorf("after kill -9: %v", err)
	}
	second.kill(t)

	output, err := kubebox(t, dir, "purge", "--etcd", "etcd.sock", "--prefix", "/clusters/cluster").Output()
	if err != nil || strings.HasPrefix(string(output), `{"deleted":0}`) {
		t.Fatalf("purge: %s %v", output, err)
	}
	third := startCluster(t, dir, "cluster")
	if _, err := third.typed.CoreV1().Namespaces().Get(t.Context(), "kept", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("after the purge: %v", err)
	}
}

func TestEndsWithItsParent(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	store := startEtcd(t, dir)
	c := startCluster(t, dir, "cluster")
	for _, p := range []*process{c.process, store} {
		p.lifeline.Close()
		select {
		case err := <-p.exited:
			if err != nil {
				t.Errorf("%v: %v", p.Args, err)
			}
		case <-time.After(20 * time.Second):
			t.Errorf("%v outlives its parent", p.Args)
		}
	}
}

func TestMisuse(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		arguments []string
		code      int
		says      string
	}{
		"unknown flag":         {[]string{"cluster", "--nam", "x"}, 2, "--nam"},
		"version too old":      {[]string{"cluster", "--name", "x", "--dir", "x", "--etcd", "e", "--kubernetes-version", "v1.20.0"}, 2, "v1.20.0 cannot be served"},
		"version too new":      {[]string{"cluster", "--name", "x", "--dir", "x", "--etcd", "e", "--kubernetes-version", "v1.99.0"}, 2, "v1.99.0 cannot be served"},
		"no version":           {[]string{"cluster", "--name", "x", "--dir", "x", "--etcd", "e", "--kubernetes-version", "latest"}, 2, `"latest"`},
		"missing flags":        {[]string{"etcd"}, 1, "data-dir"},
		"purge of everything":  {[]string{"purge", "--etcd", "e", "--prefix", "/"}, 1, "names no cluster"},
		"data dir is a file":   {[]string{"etcd", "--data-dir", "/dev/null", "--socket", "s"}, 1, "/dev/null"},
		"cluster dir is wrong": {[]string{"cluster", "--name", "x", "--dir", "/dev/null/x", "--etcd", "e"}, 1, "/dev/null"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := kubebox(t, t.TempDir(), test.arguments...)
			c.Stderr = nil // Output collects it
			_, err := c.Output()
			var exit *exec.ExitError
			if !errors.As(err, &exit) || exit.ExitCode() != test.code || !strings.Contains(string(exit.Stderr), test.says) {
				t.Errorf("got %v: %s; want code %d and a message with %q", err, exit.Stderr, test.code, test.says)
			}
		})
	}
}
