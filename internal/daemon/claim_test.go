package daemon

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

func TestADataFolderHasOneFleetd(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	lock, err := lockDataDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	_, err = lockDataDir(dir)
	want := fmt.Sprintf("the data folder %s is in use by another fleetd (pid %d)", dir, os.Getpid())
	if !errors.Is(err, fleet.ErrConflict) || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if err := lock.Unlock(); err != nil {
		t.Fatal(err)
	}
	again, err := lockDataDir(dir)
	if err != nil {
		t.Fatalf("after it was freed: %v", err)
	}
	if err := again.Unlock(); err != nil {
		t.Fatal(err)
	}
}

func TestAPortInUseIsSaidBeforeAnythingStarts(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	config := Config{DataDir: t.TempDir(), API: APIConfig{Listen: taken.Addr().String()}}
	err = Run(t.Context(), config, Options{})
	if !errors.Is(err, fleet.ErrConflict) || !strings.Contains(err.Error(), taken.Addr().String()+" is in use") || strings.Contains(err.Error(), "\n") {
		t.Errorf("got %v", err)
	}
	lock, err := lockDataDir(config.DataDir)
	if err != nil {
		t.Fatalf("the data folder stays locked: %v", err)
	}
	if err := lock.Unlock(); err != nil {
		t.Fatal(err)
	}
}
