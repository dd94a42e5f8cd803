package box_test

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// fleetVariable asks for the measurement of a whole fleet, which is too much
// for every run of the tests.
const fleetVariable = "BOX_TEST_FLEET"

// The targets, on two cores.
const (
	fleetSize      = 17
	fleetStartTime = 60 * time.Second
	fleetResident  = 5 << 30
)

// TestFleetStartsInTimeAndMemory starts sixteen clusters and their management
// cluster, and reports what that took.
func TestFleetStartsInTimeAndMemory(t *testing.T) {
	if os.Getenv(fleetVariable) == "" {
		t.Skipf("set %s=1 to measure %d control planes", fleetVariable, fleetSize)
	}
	f := newFixture(t)
	began := time.Now()
	var starting sync.WaitGroup
	for i := range fleetSize {
		starting.Go(func() {
			if _, err := f.host.Ensure(t.Context(), fmt.Sprintf("cluster-%d", i)); err != nil {
				t.Error(err)
			}
		})
	}
	starting.Wait()
	took := time.Since(began)
	resident, proportional := memory(t, f.host.Etcd().PID)
	t.Logf("etcd: %d MiB", resident>>20)
	for _, status := range f.host.List() {
		r, p := memory(t, status.PID)
		resident, proportional = resident+r, proportional+p
	}
	t.Logf("%d control planes usable after %s, %d MiB resident (%d MiB with the shared binary counted once)",
		fleetSize, took.Round(time.Millisecond), resident>>20, proportional>>20)
	if took > fleetStartTime {
		t.Errorf("started in %s, the target is %s", took, fleetStartTime)
	}
	if resident > fleetResident {
		t.Errorf("%d MiB resident, the target is %d", resident>>20, fleetResident>>20)
	}
}

// memory returns a process's resident memory, and that with what it shares with
// others divided by their number.
func memory(t *testing.T, pid int) (resident, proportional int64) {
	t.Helper()
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(content)) {
		fields := strings.Fields(line)
		switch fields[0] {
		case "Rss:":
			resident = kibibytes(t, fields[1])
		case "Pss:":
			proportional = kibibytes(t, fields[1])
		}
	}
	return resident, proportional
}

func kibibytes(t *testing.T, text string) int64 {
	t.Helper()
	count, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return count << 10
}
