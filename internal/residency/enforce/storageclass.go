package enforce

import "regexp"

// RegionalStorageClass is the name of the storage class every cluster gets.
const RegionalStorageClass = "meridian-regional"

// cloud is how a provider names zones and makes disks.
type cloud struct {
	zones       string   // what follows the region's id in the name of an availability zone, as a pattern
	suffixes    []string // those that regions have, or some of them
	key         string   // of its driver's topology
	provisioner string
	parameters  map[string]string
}

// Availability zones only: AWS's Local and Wavelength Zones begin with the
// region's id, too (us-east-1-bue-1a), but may lie in another country. Azure's
// driver names no zone where there are none.
var clouds = map[string]cloud{
	"aws": {
		zones: "[a-z]", suffixes: []string{"a", "b", "c", "d", "e", "f"}, key: "topology.ebs.csi.aws.com/zone",
		provisioner: "ebs.csi.aws.com", parameters: map[string]string{"type": "gp3", "encrypted": "true"},
	},
	"gcp": {
		zones: "-[a-z]", suffixes: []string{"-a", "-b", "-c", "-d", "-e", "-f"}, key: "topology.gke.io/zone",
		provisioner: "pd.csi.storage.gke.io", parameters: map[string]string{"type": "pd-balanced"},
	},
	"azure": {
		zones: "-[0-9]", suffixes: []string{"-1", "-2", "-3"}, key: "topology.disk.csi.azure.com/zone",
		provisioner: "disk.csi.azure.com", parameters: map[string]string{"skuName": "StandardSSD_LRS"},
	},
}

// zonePattern matches the names of a region's availability zones.
func zonePattern(provider, id string) string {
	zones := clouds[provider].zones
	if zones == "" {
		zones = "-?[a-z0-9]"
	}
	if provider == "azure" {
		return "^(" + regexp.QuoteMeta(id) + zones + ")?$"
	}
	return "^" + regexp.QuoteMeta(id) + zones + "$"
}

// storageClass makes disks in a region's zones, nil when the provider's driver
// is not known. A zone that a region does not have does no harm: volumes are
// made where the pod is.
func storageClass(provider, id string) map[string]any {
	cloud, known := clouds[provider]
	if !known {
		return nil
	}
	var zones []any
	if provider == "azure" {
		zones = append(zones, "")
	}
	for _, suffix := range cloud.suffixes {
		zones = append(zones, id+suffix)
	}
	return map[string]any{
		"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass",
		"metadata": map[string]any{
			"name":        RegionalStorageClass,
			"annotations": map[string]any{"meridian.dev/replace": "true"}, // its parameters cannot be changed in place
		},
		"provisioner": cloud.provisioner, "parameters": cloud.parameters,
		"reclaimPolicy": "Delete", "volumeBindingMode": "WaitForFirstConsumer", "allowVolumeExpansion": true,
		"allowedTopologies": []any{map[string]any{
			"matchLabelExpressions": []any{map[string]any{"key": cloud.key, "values": zones}},
		}},
	}
}
