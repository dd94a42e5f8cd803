package manifest

import (
	"errors"
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/residency"
)

func checkRegion(report *report, name string, spec fleet.RegionSpec) {
	report.regionName("metadata.name", name)
	report.dnsLabel("spec.profile", spec.Profile)
	if spec.Baseline != "" {
		report.baselineName("spec.baseline", spec.Baseline)
	}
	report.problems(ClassUses("spec.data", spec.Data))
	report.problems(residency.ValidateRegionFacts(spec.Facts))
}

func checkCluster(report *report, name string, spec fleet.ClusterSpec) {
	report.dnsLabel("metadata.name", name)
	report.regionName("spec.region", spec.Region)
	report.dnsLabel("spec.profile", spec.Profile)
}

func checkStrategy(report *report, name string, spec fleet.RolloutStrategySpec) {
	report.dnsLabel("metadata.name", name)
	for _, fault := range spec.Validate() {
		report.fault(fault.Field, "%s", fault.Message)
	}
	for i, wave := range spec.Waves {
		field := Element("spec.waves", i)
		if wave.Name != "" {
			report.dnsLabel(field+".name", wave.Name)
		}
		checkSelector(report, field+".clusters", wave.Clusters)
	}
}

func checkSelector(report *report, field string, selector fleet.Selector) {
	report.labels(field+".matchLabels", selector.MatchLabels)
	for i, provider := range selector.Providers {
		report.dnsLabel(Element(field+".providers", i), provider)
	}
	for i, region := range selector.Regions {
		report.regionName(Element(field+".regions", i), region)
	}
	for i, cluster := range selector.Clusters {
		report.dnsLabel(Element(field+".clusters", i), cluster)
	}
}

func checkProfile(report *report, name string, spec fleet.ClusterProfileSpec) {
	report.dnsLabel("metadata.name", name)
	if spec.KubernetesVersion == "" {
		report.fault("spec.kubernetesVersion", "is missing").Advise("want a version such as 1.36.3")
	} else if _, err := semver.StrictNewVersion(spec.KubernetesVersion); err != nil {
		report.fault("spec.kubernetesVersion", "%q is not a version", spec.KubernetesVersion).
			Advise("want three numbers without a leading v, such as 1.36.3")
	}
	if len(spec.NodePools) == 0 {
		report.fault("spec.nodePools", "want at least one node pool")
	}
	first := map[string]int{}
	for i, pool := range spec.NodePools {
		field := Element("spec.nodePools", i)
		report.dnsLabel(field+".name", pool.Name)
		if earlier, twice := first[pool.Name]; twice && pool.Name != "" {
			report.fault(field+".name", "the name %q is that of %s already", pool.Name, Element("spec.nodePools", earlier))
		} else {
			first[pool.Name] = i
		}
		checkPool(report, field, pool)
	}
}

func checkPool(report *report, field string, pool fleet.NodePool) {
	if pool.Replicas < 0 {
		report.fault(field+".replicas", "want 0 or more, got %d", pool.Replicas)
	}
	if len(pool.InstanceTypes) == 0 {
		report.fault(field+".instanceTypes", "want an instance type for at least one provider").Advise("such as {aws: m7i.xlarge}")
	}
	for provider, instanceType := range pool.InstanceTypes {
		place := Child(field+".instanceTypes", provider)
		report.dnsLabel(place, provider)
		if strings.TrimSpace(instanceType) == "" {
			report.fault(place, "the instance type is missing")
		}
	}
	report.labels(field+".labels", pool.Labels)
	for i, taint := range pool.Taints {
		checkTaint(report, Element(field+".taints", i), taint)
	}
	if pool.GPU != nil {
		checkGPU(report, field+".gpu", *pool.GPU)
	}
}

var taintEffects = []string{"NoSchedule", "PreferNoSchedule", "NoExecute"}

func checkTaint(report *report, field string, taint fleet.Taint) {
	report.key(field+".key", taint.Key)
	report.labelValue(field+".value", taint.Value)
	if slices.Contains(taintEffects, taint.Effect) {
		return
	}
	fault := report.fault(field+".effect", "unknown effect %q", taint.Effect)
	if near := nearest(taint.Effect, taintEffects); near != "" {
		fault.Advise("did you mean %q?", near)
	} else {
		fault.Advise("known are %s", strings.Join(taintEffects, ", "))
	}
}

func checkGPU(report *report, field string, gpu fleet.NodeGPU) {
	if gpu.Product == "" {
		report.fault(field+".product", "is missing").Advise("such as NVIDIA-H100-80GB-HBM3")
	}
	report.labelValue(field+".product", gpu.Product)
	if gpu.Count <= 0 {
		report.fault(field+".count", "want 1 or more, got %d", gpu.Count)
	}
	if gpu.Memory == "" {
		return
	}
	quantity, err := resource.ParseQuantity(gpu.Memory)
	if err == nil && quantity.Sign() <= 0 {
		err = errors.New("not positive")
	}
	if err != nil {
		report.fault(field+".memory", "%q is not an amount of memory", gpu.Memory).Advise("such as 80Gi")
	}
}
