package kinds

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/meridian-fleet/meridian/internal/cli/output"
	"github.com/meridian-fleet/meridian/internal/fleet"
)

var baselineColumns = []column{
	spec("COMPONENTS", false, func(s fleet.BaselineSpec) string { return strconv.Itoa(len(s.Components)) }),
	spec("KUBERNETES", false, func(s fleet.BaselineSpec) string { return s.Kubernetes }),
	status("FILES", false, func(s fleet.BaselineStatus) string { return strconv.Itoa(s.Files) }),
	status("DIGEST", false, func(s fleet.BaselineStatus) string { return ShortDigest(s.Digest) }),
	status("SIZE", true, func(s fleet.BaselineStatus) string { return strconv.FormatInt(s.Size, 10) }),
	spec("KINDS", true, func(s fleet.BaselineSpec) string {
		var parts []string
		for _, component := range s.Components {
			parts = append(parts, component.Name+":"+component.Kind)
		}
		return strings.Join(parts, ",")
	}),
}

// ShortDigest is enough of a digest to tell it from others.
func ShortDigest(digest string) string {
	const enough = len("sha256:") + 12
	if len(digest) > enough {
		return digest[:enough]
	}
	return digest
}

var strategyColumns = []column{
	spec("WAVES", false, func(s fleet.RolloutStrategySpec) string {
		var names []string
		for _, wave := range s.Waves {
			names = append(names, wave.Name)
		}
		return strings.Join(names, ",")
	}),
	spec("BUDGET", false, func(s fleet.RolloutStrategySpec) string { return amount(s.FailureBudget) }),
	spec("PARALLEL", false, func(s fleet.RolloutStrategySpec) string { return orDefault(s.MaxParallel) }),
	spec("READY-TIMEOUT", false, func(s fleet.RolloutStrategySpec) string {
		if s.ReadyTimeout == 0 {
			return "default"
		}
		return time.Duration(s.ReadyTimeout).String()
	}),
	labels,
}

func amount(a fleet.Amount) string {
	if a.IsPercent {
		return fmt.Sprintf("%d%%", a.Percent)
	}
	return strconv.Itoa(a.Count)
}

func orDefault(number int) string {
	if number == 0 {
		return "default"
	}
	return strconv.Itoa(number)
}

var rolloutColumns = []column{
	spec("BASELINE", false, func(s fleet.RolloutSpec) string { return s.Baseline }),
	status("PHASE", false, func(s fleet.RolloutStatus) string { return string(s.Phase) }),
	status("WAVES", false, func(s fleet.RolloutStatus) string {
		done := 0
		for _, wave := range s.Waves {
			if wave.Phase.Done() {
				done++
			}
		}
		return fmt.Sprintf("%d/%d", done, len(s.Waves))
	}),
	status("CLUSTERS", false, func(s fleet.RolloutStatus) string {
		succeeded, _, all := Count(s)
		return fmt.Sprintf("%d/%d", succeeded, all)
	}),
	status("FAILED", false, func(s fleet.RolloutStatus) string {
		_, failed, _ := Count(s)
		return strconv.Itoa(failed)
	}),
	spec("STRATEGY", true, func(s fleet.RolloutSpec) string { return s.Strategy }),
	status("BY", true, func(s fleet.RolloutStatus) string { return s.RequestedBy }),
	took(func(r fleet.Resource) (*time.Time, *time.Time, error) {
		status, err := fleet.StatusOf[fleet.RolloutStatus](r)
		return status.StartedAt, status.FinishedAt, err
	}),
	status("PLAN", true, func(s fleet.RolloutStatus) string { return ShortDigest(s.PlanHash) }),
	status("MESSAGE", true, func(s fleet.RolloutStatus) string { return s.Message }),
}

// Count sums a rollout's clusters over its waves.
func Count(status fleet.RolloutStatus) (succeeded, failed, all int) {
	for _, wave := range status.Waves {
		succeeded += wave.Succeeded
		failed += wave.Failed
		all += len(wave.Clusters)
	}
	return succeeded, failed, all
}

// took shows how long something lasted, or lasts until now.
func took(times func(fleet.Resource) (started, finished *time.Time, err error)) column {
	return column{"TOOK", true, func(c cell) (string, error) {
		started, finished, err := times(c.Resource)
		if started == nil || err != nil {
			return "", err
		}
		if finished == nil {
			return output.Age(c.now, started), nil
		}
		return output.Took(finished.Sub(*started)), nil
	}}
}

var changeColumns = []column{
	spec("CLUSTER", true, func(s fleet.ClusterChangeSpec) string { return s.Cluster }),
	spec("REGION", false, func(s fleet.ClusterChangeSpec) string { return s.Region }),
	spec("WAVE", false, func(s fleet.ClusterChangeSpec) string { return s.Wave }),
	spec("BASELINE", false, func(s fleet.ClusterChangeSpec) string { return s.Baseline }),
	spec("REASON", false, func(s fleet.ClusterChangeSpec) string { return s.Reason }),
	status("PHASE", false, func(s fleet.ClusterChangeStatus) string { return string(s.Phase) }),
	status("CREATED", false, func(s fleet.ClusterChangeStatus) string { return strconv.Itoa(s.Created) }),
	status("CONFIGURED", false, func(s fleet.ClusterChangeStatus) string { return strconv.Itoa(s.Configured) }),
	status("UNCHANGED", false, func(s fleet.ClusterChangeStatus) string { return strconv.Itoa(s.Unchanged) }),
	status("PRUNED", false, func(s fleet.ClusterChangeStatus) string { return strconv.Itoa(s.Pruned) }),
	took(func(r fleet.Resource) (*time.Time, *time.Time, error) {
		status, err := fleet.StatusOf[fleet.ClusterChangeStatus](r)
		return status.StartedAt, status.FinishedAt, err
	}),
	status("MESSAGE", true, func(s fleet.ClusterChangeStatus) string { return s.Message }),
}
