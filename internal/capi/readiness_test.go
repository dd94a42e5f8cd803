package capi

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"
)

func condition(name string, status metav1.ConditionStatus, reason, message string) metav1.Condition {
	return metav1.Condition{Type: name, Status: status, Reason: reason, Message: message}
}

// clusterWith has every required condition true but those given.
func clusterWith(changed ...metav1.Condition) *clusterv1.Cluster {
	cluster := &clusterv1.Cluster{}
	for _, name := range requiredConditions {
		next := condition(name, metav1.ConditionTrue, "Ready", "")
		for _, other := range changed {
			if other.Type == name {
				next = other
			}
		}
		if next.Status != "" {
			cluster.Status.Conditions = append(cluster.Status.Conditions, next)
		}
	}
	return cluster
}

func pool(name string, wanted int32, nodes int, phase string, conditions ...metav1.Condition) *clusterv1.MachinePool {
	p := &clusterv1.MachinePool{ObjectMeta: metav1.ObjectMeta{Name: name}}
	p.Spec.Replicas = &wanted
	p.Status.NodeRefs = make([]corev1.ObjectReference, nodes)
	p.Status.Phase, p.Status.Conditions = phase, conditions
	return p
}

func TestJudge(t *testing.T) {
	t.Parallel()
	quota := "the account has no quota left"
	gaveUp := pool("gpu", 2, 0, "Failed")
	gaveUp.Status.Deprecated = &clusterv1.MachinePoolDeprecatedStatus{V1Beta1: &clusterv1.MachinePoolV1Beta1DeprecatedStatus{FailureMessage: &quota}}
	leaving := clusterWith()
	leaving.DeletionTimestamp = &metav1.Time{}
	for name, test := range map[string]struct {
		cluster *clusterv1.Cluster
		pools   []*clusterv1.MachinePool
		want    verdict
	}{
		"ready":               {clusterWith(), []*clusterv1.MachinePool{pool("system", 2, 2, "Running")}, verdict{ready: true}},
		"ready without pools": {clusterWith(), nil, verdict{ready: true}},
		"new":                 {&clusterv1.Cluster{}, nil, verdict{waiting: "InfrastructureReady: not reported yet"}},
		"in the provider's words": {
			clusterWith(condition(clusterv1.ClusterInfrastructureReadyCondition, metav1.ConditionFalse, "NotReady", "* creating the VPC\n* creating subnets")), nil,
			verdict{waiting: "InfrastructureReady: creating the VPC creating subnets"},
		},
		"without words": {
			clusterWith(condition(clusterv1.ClusterRemoteConnectionProbeCondition, metav1.ConditionFalse, "ProbeFailed", "")), nil,
			verdict{waiting: "RemoteConnectionProbe: ProbeFailed"},
		},
		"unknown is not ready": {
			clusterWith(condition(clusterv1.ClusterControlPlaneAvailableCondition, metav1.ConditionUnknown, "X", "starting")), nil,
			verdict{waiting: "ControlPlaneAvailable: starting"},
		},
		"a node is missing": {
			clusterWith(), []*clusterv1.MachinePool{pool("system", 2, 2, "Running"), pool("gpu", 2, 1, "Running")},
			verdict{waiting: "MachinePool gpu: 1 of 2 nodes"},
		},
		"why it is missing": {
			clusterWith(), []*clusterv1.MachinePool{pool("gpu", 1, 0, "Provisioning", condition(clusterv1.InfrastructureReadyCondition, metav1.ConditionFalse, "X", "no capacity in zone a"))},
			verdict{waiting: "MachinePool gpu: 0 of 1 nodes, no capacity in zone a"},
		},
		"nodes, but not running": {
			clusterWith(), []*clusterv1.MachinePool{pool("gpu", 1, 1, "ScalingUp")},
			verdict{waiting: "MachinePool gpu: ScalingUp"},
		},
		"given up":      {clusterWith(), []*clusterv1.MachinePool{gaveUp}, verdict{failed: "MachinePool gpu: " + quota}},
		"being deleted": {leaving, nil, verdict{failed: "it is being deleted"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := judge(test.cluster, test.pools); got != test.want {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}
