package kinds

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/meridian-fleet/meridian/internal/cli/output"
	"github.com/meridian-fleet/meridian/internal/fleet"
)

// spec and status make columns of typed parts of a resource.
func spec[T any](title string, wide bool, text func(T) string) column {
	return column{title, wide, func(c cell) (string, error) {
		value, err := fleet.SpecOf[T](c.Resource)
		return text(value), err
	}}
}

func status[T any](title string, wide bool, text func(T) string) column {
	return column{title, wide, func(c cell) (string, error) {
		value, err := fleet.StatusOf[T](c.Resource)
		return text(value), err
	}}
}

var labels = column{"LABELS", true, func(c cell) (string, error) {
	var pairs []string
	for _, key := range slices.Sorted(maps.Keys(c.Metadata.Labels)) {
		pairs = append(pairs, key+"="+c.Metadata.Labels[key])
	}
	return strings.Join(pairs, ","), nil
}}

var regionColumns = []column{
	status("PHASE", false, func(s fleet.RegionStatus) string { return string(s.Phase) }),
	status("COUNTRY", false, func(s fleet.RegionStatus) string { return facts(s).Country }),
	status("CITY", false, func(s fleet.RegionStatus) string { return facts(s).City }),
	spec("PROFILE", false, func(s fleet.RegionSpec) string { return s.Profile }),
	spec("BASELINE", false, func(s fleet.RegionSpec) string { return s.Baseline }),
	status("OPERATOR", true, func(s fleet.RegionStatus) string { return facts(s).Operator }),
	status("PARTITION", true, func(s fleet.RegionStatus) string { return facts(s).Partition }),
	status("JURISDICTIONS", true, func(s fleet.RegionStatus) string { return strings.Join(facts(s).Jurisdictions, ",") }),
	status("STEP", true, func(s fleet.RegionStatus) string { return s.Step }),
	status("MESSAGE", true, func(s fleet.RegionStatus) string { return s.Message }),
	labels,
}

func facts(status fleet.RegionStatus) fleet.RegionFacts {
	if status.Facts == nil {
		return fleet.RegionFacts{}
	}
	return *status.Facts
}

var clusterColumns = []column{
	spec("REGION", false, func(s fleet.ClusterSpec) string { return s.Region }),
	status("PHASE", false, func(s fleet.ClusterStatus) string { return string(s.Phase) }),
	status("VERSION", false, func(s fleet.ClusterStatus) string { return s.KubernetesVersion }),
	status("NODES", false, func(s fleet.ClusterStatus) string { return fmt.Sprintf("%d/%d", s.ReadyNodes, s.Nodes) }),
	status("GPUS", false, func(s fleet.ClusterStatus) string { return strconv.Itoa(s.GPUs) }),
	status("BASELINE", false, func(s fleet.ClusterStatus) string { return clusterBaseline(s.Baseline) }),
	status("DRIFT", false, func(s fleet.ClusterStatus) string { return Drift(s.Drift) }),
	spec("PROFILE", true, func(s fleet.ClusterSpec) string { return s.Profile }),
	status("GPU-PRODUCTS", true, func(s fleet.ClusterStatus) string { return strings.Join(s.GPUProducts, ",") }),
	status("OBJECTS", true, func(s fleet.ClusterStatus) string {
		if s.Baseline == nil {
			return ""
		}
		return strconv.Itoa(s.Baseline.Objects)
	}),
	status("ENDPOINT", true, func(s fleet.ClusterStatus) string { return s.Endpoint }),
	{"OBSERVED", true, func(c cell) (string, error) {
		value, err := fleet.StatusOf[fleet.ClusterStatus](c.Resource)
		return output.Age(c.now, value.ObservedAt), err
	}},
	status("MESSAGE", true, func(s fleet.ClusterStatus) string { return s.Message }),
	labels,
}

// clusterBaseline shows what a cluster has, and what it should have when that
// differs.
func clusterBaseline(baseline *fleet.ClusterBaseline) string {
	switch {
	case baseline == nil:
		return ""
	case baseline.Target == "" || baseline.Target == baseline.Applied:
		return baseline.Applied
	}
	return output.OrDash(baseline.Applied) + "→" + baseline.Target
}

// Drift is a report in a word or two.
func Drift(report *fleet.DriftReport) string {
	switch {
	case report == nil:
		return ""
	case len(report.Findings) == 0:
		return "none"
	case len(report.Findings) == 1:
		return "1 object"
	}
	return fmt.Sprintf("%d objects", len(report.Findings))
}

var nodeColumns = []column{
	status("READY", false, func(s fleet.NodeStatus) string { return strconv.FormatBool(s.Ready) }),
	status("POOL", false, func(s fleet.NodeStatus) string { return s.Pool }),
	status("INSTANCE-TYPE", false, func(s fleet.NodeStatus) string { return s.InstanceType }),
	status("GPUS", false, func(s fleet.NodeStatus) string { return strconv.Itoa(s.GPUs) }),
	status("GPU-PRODUCT", false, func(s fleet.NodeStatus) string { return s.GPUProduct }),
	status("GPU-MEMORY", true, func(s fleet.NodeStatus) string { return s.GPUMemory }),
	status("DRIVER", true, func(s fleet.NodeStatus) string { return s.DriverVersion }),
	status("KUBELET", true, func(s fleet.NodeStatus) string { return s.KubeletVersion }),
	{"CLUSTER", true, func(c cell) (string, error) { return c.Metadata.Owner, nil }},
}

var profileColumns = []column{
	spec("VERSION", false, func(s fleet.ClusterProfileSpec) string { return s.KubernetesVersion }),
	spec("POOLS", false, func(s fleet.ClusterProfileSpec) string { return strconv.Itoa(len(s.NodePools)) }),
	spec("NODES", false, func(s fleet.ClusterProfileSpec) string {
		nodes := 0
		for _, pool := range s.NodePools {
			nodes += pool.Replicas
		}
		return strconv.Itoa(nodes)
	}),
	spec("GPUS", false, func(s fleet.ClusterProfileSpec) string {
		gpus := 0
		for _, pool := range s.NodePools {
			if pool.GPU != nil {
				gpus += pool.Replicas * pool.GPU.Count
			}
		}
		return strconv.Itoa(gpus)
	}),
	labels,
}
