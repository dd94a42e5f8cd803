package sandbox_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/meridian-fleet/meridian/internal/sandbox"
)

// BenchmarkSixteenClusters onboards sixteen clusters at once, each with a pool of
// two GPU nodes, until all are available, and reports how long that took and the
// memory of all processes then, in which pages that several share count once.
func BenchmarkSixteenClusters(b *testing.B) {
	for range b.N {
		stateDir := b.TempDir()
		start := time.Now()
		running := launch(b, stateDir)
		b.ReportMetric(time.Since(start).Seconds(), "launch-s")
		api := management(b, running)
		start = time.Now()
		var clusters []string
		for i := range 16 {
			flavor := flavors[i%len(flavors)]
			clusters = append(clusters, fmt.Sprintf("%s-%d", flavor, i))
			create(b, api, manifests(b, flavor, clusters[i]))
		}
		for _, cluster := range clusters {
			eventually(b, "onboard "+cluster, func(ctx context.Context) error { return available(ctx, api, cluster, 2) })
		}
		b.ReportMetric(time.Since(start).Seconds(), "onboard-s")
		status := mustStatus(b, running)
		b.ReportMetric(float64(memoryMiB(b, status.PID)), "sandbox-MiB")
		b.ReportMetric(float64(controlPlanesMiB(b, status)), "control-planes-MiB")
		start = time.Now()
		if err := running.Stop(b.Context()); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(time.Since(start).Seconds(), "stop-s")
	}
}

func controlPlanesMiB(b *testing.B, status sandbox.Status) (sum int) {
	for _, controlPlane := range status.ControlPlanes {
		sum += memoryMiB(b, controlPlane.PID)
	}
	return sum
}

func memoryMiB(b *testing.B, pid int) int {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		b.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "Pss:")
	var kibibytes int
	if _, err := fmt.Sscan(rest, &kibibytes); err != nil {
		b.Fatal(err)
	}
	return kibibytes >> 10
}
