package capi

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"
)

// requiredConditions must be true of a Cluster before it is used, in the order
// in which they come true.
var requiredConditions = []string{
	clusterv1.ClusterInfrastructureReadyCondition,
	clusterv1.ClusterControlPlaneInitializedCondition,
	clusterv1.ClusterControlPlaneAvailableCondition,
	clusterv1.ClusterRemoteConnectionProbeCondition,
}

// verdict is what a Cluster and its pools amount to.
type verdict struct {
	ready   bool
	waiting string // for what, in the provider's own words
	failed  string // why no waiting will help
}

// judge looks at a cluster. Conditions that speak of an older spec than the
// present one do not count. Machine pools are judged by their nodes: Available
// on the Cluster ignores them, and a pool's readyReplicas may claim readiness
// before a node is there.
func judge(cluster *clusterv1.Cluster, pools []*clusterv1.MachinePool) verdict {
	if message := terminalFailure(cluster, pools); message != "" {
		return verdict{failed: message}
	}
	if cluster.DeletionTimestamp != nil {
		return verdict{failed: "it is being deleted"}
	}
	for _, name := range requiredConditions {
		condition := meta.FindStatusCondition(cluster.Status.Conditions, name)
		if condition == nil || condition.Status != metav1.ConditionTrue {
			return verdict{waiting: waitingFor(name, condition)}
		}
	}
	for _, pool := range pools {
		if waiting := poolWaits(pool); waiting != "" {
			return verdict{waiting: waiting}
		}
	}
	return verdict{ready: true}
}

func waitingFor(name string, condition *metav1.Condition) string {
	if condition == nil {
		return name + ": not reported yet"
	}
	return name + ": " + conditionText(condition)
}

// conditionText is a condition's message in one line, or its reason.
func conditionText(condition *metav1.Condition) string {
	text := strings.Join(strings.Fields(strings.ReplaceAll(condition.Message, "* ", "")), " ")
	if text == "" {
		return condition.Reason
	}
	return text
}

func poolWaits(pool *clusterv1.MachinePool) string {
	wanted := int32(1)
	if pool.Spec.Replicas != nil {
		wanted = *pool.Spec.Replicas
	}
	if nodes := len(pool.Status.NodeRefs); nodes != int(wanted) {
		return fmt.Sprintf("MachinePool %s: %d of %d nodes%s", pool.Name, nodes, wanted, poolReason(pool))
	}
	if phase := clusterv1.MachinePoolPhase(pool.Status.Phase); phase != clusterv1.MachinePoolPhaseRunning {
		return fmt.Sprintf("MachinePool %s: %s%s", pool.Name, phaseText(pool.Status.Phase), poolReason(pool))
	}
	return ""
}

func phaseText(phase string) string {
	if phase == "" {
		return "no phase reported yet"
	}
	return phase
}

// poolReason is what the pool's own conditions say about why.
func poolReason(pool *clusterv1.MachinePool) string {
	for _, name := range []string{clusterv1.BootstrapConfigReadyCondition, clusterv1.InfrastructureReadyCondition} {
		condition := meta.FindStatusCondition(pool.Status.Conditions, name)
		if condition != nil && condition.Status != metav1.ConditionTrue {
			return ", " + conditionText(condition)
		}
	}
	return ""
}

// terminalFailure is what providers report through Cluster API as beyond
// repair by waiting. Providers of contract v1beta1, which those of the clouds
// still are, have no other place for it than the deprecated fields.
func terminalFailure(cluster *clusterv1.Cluster, pools []*clusterv1.MachinePool) string {
	if old := cluster.Status.Deprecated; old != nil && old.V1Beta1 != nil {
		if message := failureText(old.V1Beta1.FailureReason, old.V1Beta1.FailureMessage); message != "" { //nolint:staticcheck // see above
			return message
		}
	}
	for _, pool := range pools {
		if old := pool.Status.Deprecated; old != nil && old.V1Beta1 != nil {
			if message := failureText(old.V1Beta1.FailureReason, old.V1Beta1.FailureMessage); message != "" { //nolint:staticcheck // see above
				return fmt.Sprintf("MachinePool %s: %s", pool.Name, message)
			}
		}
	}
	return ""
}

func failureText[Reason ~string](reason *Reason, message *string) string {
	switch {
	case message != nil && *message != "":
		return *message
	case reason != nil:
		return string(*reason)
	}
	return ""
}
