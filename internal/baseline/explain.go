package baseline

import (
	"context"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// explainTimeout bounds the asking for reasons.
const explainTimeout = 5 * time.Second

var pods = resource{schema.GroupVersionResource{Version: "v1", Resource: "pods"}, "Pod", true}

// explain adds to what is not ready why its pods are not: why they cannot be
// scheduled, what a container waits for, why there are none.
func (r *run) explain(ctx context.Context, blocking []fleet.BlockingObject) []fleet.BlockingObject {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), explainTimeout)
	defer cancel()
	for key, wanted := range r.seen.byKey {
		live := r.watched.state(key)
		if live == nil || wanted.phase != phaseWorkloads {
			continue
		}
		for i := range blocking {
			if blocking[i].Object != key.String() {
				continue
			}
			if detail := r.cluster.podTrouble(ctx, live); detail != "" {
				blocking[i].Reason += "; " + detail
			}
		}
	}
	return blocking
}

// podTrouble says what is wrong with a workload's pods, as far as anybody
// knows.
func (c *Cluster) podTrouble(ctx context.Context, workload *unstructured.Unstructured) string {
	if message := replicaFailure(workload); message != "" {
		return "pods cannot be created: " + message
	}
	selector, ok, _ := unstructured.NestedMap(workload.Object, "spec", "selector")
	if !ok {
		return ""
	}
	var parsed metav1.LabelSelector
	if runtime.DefaultUnstructuredConverter.FromUnstructured(selector, &parsed) != nil {
		return ""
	}
	list, err := c.client.list(ctx, pods, workload.GetNamespace(), metav1.FormatLabelSelector(&parsed), false)
	if err != nil {
		return ""
	}
	for _, item := range list {
		var pod corev1.Pod
		if runtime.DefaultUnstructuredConverter.FromUnstructured(item.Object, &pod) != nil {
			continue
		}
		if trouble := troubleOf(&pod); trouble != "" {
			return fmt.Sprintf("Pod %s: %s", pod.Name, trouble)
		}
	}
	return ""
}

// replicaFailure is why a workload could not create its pods.
func replicaFailure(workload *unstructured.Unstructured) string {
	conditions, _, _ := unstructured.NestedSlice(workload.Object, "status", "conditions")
	for _, item := range conditions {
		condition, _ := item.(map[string]any)
		if condition["type"] == "ReplicaFailure" && condition["status"] == "True" {
			message, _ := condition["message"].(string)
			return message
		}
	}
	return ""
}

// troubleOf is the first reason a pod gives for not being ready.
func troubleOf(pod *corev1.Pod) string {
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.PodScheduled && condition.Status == corev1.ConditionFalse {
			return "cannot be scheduled: " + strings.TrimSuffix(condition.Message, ".")
		}
	}
	for _, container := range append(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses...) {
		if waiting := container.State.Waiting; waiting != nil && waiting.Reason != "PodInitializing" && waiting.Reason != "ContainerCreating" {
			return strings.TrimSuffix(fmt.Sprintf("container %s: %s: %s", container.Name, waiting.Reason, waiting.Message), ": ")
		}
		if ended := container.State.Terminated; ended != nil && ended.ExitCode != 0 {
			return fmt.Sprintf("container %s ended with exit code %d", container.Name, ended.ExitCode)
		}
	}
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.PodReady && condition.Status == corev1.ConditionFalse && condition.Message != "" {
			return condition.Message
		}
	}
	return ""
}
