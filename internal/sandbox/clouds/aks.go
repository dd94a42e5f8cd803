package clouds

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meridian-fleet/meridian/internal/sandbox/machinetypes"
)

// aks is Azure's Kubernetes, as Cluster API's Azure provider has it: the objects
// wrap resources of the Azure Service Operator, which say what the cloud is to make.
var aks = flavor{
	name:         "aks",
	cluster:      infrastructureKind("v1beta1", "AzureASOManagedCluster"),
	controlPlane: infrastructureKind("v1beta1", "AzureASOManagedControlPlane"),
	pool:         infrastructureKind("v1beta1", "AzureASOManagedMachinePool"),
	endpoint:     []string{"status", "controlPlaneEndpoint"},
	check: func(controlPlane *unstructured.Unstructured) error {
		managed, err := azureResource(controlPlane, "ManagedCluster")
		if err == nil && text(managed, "spec", "location") == "" {
			err = Refuse("InvalidLocation", "the ManagedCluster in spec.resources has no spec.location")
		}
		return err
	},
	region: func(controlPlane *unstructured.Unstructured) string {
		managed, _ := azureResource(controlPlane, "ManagedCluster")
		return text(managed, "spec", "location")
	},
	shape:       aksShape,
	machineType: machinetypes.Azure,
	zone:        func(region string) string { return region + "-1" },
	providerIDPrefix: func(controlPlane *unstructured.Unstructured, _ string) string {
		managed, _ := azureResource(controlPlane, "ManagedCluster")
		group := text(managed, "spec", "owner", "name")
		return fmt.Sprintf("azure:///subscriptions/%s/resourceGroups/%s/providers/Microsoft.Compute/virtualMachines/", sandboxSubscription, group)
	},
	nodeLabels: func(pool string) map[string]string {
		return map[string]string{"kubernetes.azure.com/agentpool": pool}
	},
}

// The subscription is in a credential on Azure, and so in no object.
const sandboxSubscription = "00000000-0000-0000-0000-000000000000"

// azureResource finds the one resource of a kind an object wraps.
func azureResource(object *unstructured.Unstructured, kind string) (map[string]any, error) {
	for _, resource := range objects(object.Object, "spec", "resources") {
		if text(resource, "kind") == kind && strings.HasPrefix(text(resource, "apiVersion"), "containerservice.azure.com/") {
			return resource, nil
		}
	}
	return nil, Refuse("ResourceMissing", "no %s of containerservice.azure.com in spec.resources", kind)
}

func aksShape(pool *unstructured.Unstructured) (shape, error) {
	agentPool, err := azureResource(pool, "ManagedClustersAgentPool")
	if err != nil {
		return shape{}, err
	}
	found := shape{
		name:        text(agentPool, "spec", "azureName"),
		machineType: text(agentPool, "spec", "vmSize"),
		labels:      texts(agentPool, "spec", "nodeLabels"),
	}
	if found.name == "" {
		found.name = text(agentPool, "metadata", "name")
	}
	if flag(agentPool, "spec", "enableAutoScaling") {
		found.minimum = number(agentPool, "spec", "minCount")
		found.maximum = number(agentPool, "spec", "maxCount")
	}
	if found.machineType == "" {
		found.machineType = "Standard_D4s_v5" // what AKS takes when none is named
	}
	if text(agentPool, "spec", "gpuProfile", "driver") != "None" {
		found.driverVersion = imageDriverVersion // AKS installs it unless told not to
	}
	taints, _, err := unstructured.NestedStringSlice(agentPool, "spec", "nodeTaints")
	if err != nil {
		return shape{}, Refuse("InvalidTaint", "spec.nodeTaints: %v", err)
	}
	for _, written := range taints {
		taint, err := parseTaint(written)
		if err != nil {
			return shape{}, err
		}
		found.taints = append(found.taints, taint)
	}
	return found, nil
}

// parseTaint reads key=value:Effect.
func parseTaint(written string) (corev1.Taint, error) {
	label, effect, ok := strings.Cut(written, ":")
	key, value, _ := strings.Cut(label, "=")
	taint := corev1.Taint{Key: key, Value: value, Effect: corev1.TaintEffect(effect)}
	switch taint.Effect {
	case corev1.TaintEffectNoSchedule, corev1.TaintEffectNoExecute, corev1.TaintEffectPreferNoSchedule:
	default:
		ok = false
	}
	if !ok || key == "" {
		return corev1.Taint{}, Refuse("InvalidTaint", "taint %q is not key=value:Effect", written)
	}
	return taint, nil
}
