package box_test

import (
	"bufio"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"testing"

	"github.com/meridian-fleet/meridian/internal/sandbox/box"
	"github.com/meridian-fleet/meridian/internal/sandbox/boxtest"
)

// hostDirVariable makes this test binary a process that runs a host, for a test
// to kill.
const hostDirVariable = "BOX_TEST_HOST_DIR"

type announcement struct {
	PIDs     []int
	Endpoint string
}

func TestMain(m *testing.M) {
	if dir := os.Getenv(hostDirVariable); dir != "" {
		runHost(dir)
		return
	}
	os.Exit(m.Run())
}

// runHost runs a host with one control plane until it is killed.
func runHost(dir string) {
	ctx := context.Background()
	host, err := box.NewHost(ctx, box.Config{Binary: os.Getenv(boxtest.BinaryVariable), Dir: dir})
	if err != nil {
		panic(err)
	}
	controlPlane, err := host.Ensure(ctx, "cluster")
	if err != nil {
		panic(err)
	}
	said := announcement{PIDs: []int{host.Etcd().PID, host.List()[0].PID}, Endpoint: controlPlane.Endpoint()}
	if err := json.NewEncoder(os.Stdout).Encode(said); err != nil {
		panic(err)
	}
	select {}
}

func TestKilledHostLeavesNoOrphan(t *testing.T) {
	t.Parallel()
	f := &fixture{T: t, dir: t.TempDir()}
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), hostDirVariable+"="+f.dir, boxtest.BinaryVariable+"="+boxtest.Binary(t))
	command.Stderr = t.Output()
	output, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	var said announcement
	if err := json.NewDecoder(bufio.NewReader(output)).Decode(&said); err != nil {
		t.Fatal(err)
	}
	if err := command.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = command.Wait() // it was killed

	// At once, while the orphans are still ending: the new host waits for them.
	f.open()
	defer f.host.Close()
	if f.ensure("cluster").Endpoint() != said.Endpoint {
		t.Error("the control plane came back elsewhere")
	}
	for _, pid := range said.PIDs {
		f.eventually("the orphan ends", func() bool { return !running(pid) })
	}
}
