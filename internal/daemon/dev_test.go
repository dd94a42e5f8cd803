package daemon

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

func TestDevConfig(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	kubebox := filepath.Join(t.TempDir(), "kubebox")
	if err := os.WriteFile(kubebox, []byte("#!/bin/sh\n"), 0o700); err != nil { //nolint:gosec // it stands in for a program
		t.Fatal(err)
	}
	first, err := Dev(DevOptions{Kubebox: kubebox, DriftInterval: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	if want := filepath.Join(os.Getenv("XDG_STATE_HOME"), "meridian"); first.DataDir != want {
		t.Errorf("the data folder is %s, want %s", first.DataDir, want)
	}
	if first.API.Listen != defaultListen || first.Sandbox.Kubebox != kubebox || first.Drift.Interval != time.Minute {
		t.Errorf("got %+v", first)
	}
	info, err := os.Stat(first.API.Tokens[0].File)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the token file has %v (%v)", info, err)
	}
	second, err := Dev(DevOptions{Kubebox: kubebox})
	if err != nil {
		t.Fatal(err)
	}
	if first.Client.Token == "" || first.Client.Token != second.Client.Token {
		t.Error("the token is not kept")
	}
}

func TestDevFlagFaultsComeTogether(t *testing.T) {
	t.Parallel()
	dataDir := filepath.Join(t.TempDir(), "data")
	_, err := Dev(DevOptions{DataDir: dataDir, Listen: "0.0.0.0:1", Kubebox: "/none", DriftInterval: -1})
	if !errors.Is(err, fleet.ErrInvalid) {
		t.Fatalf("got %v", err)
	}
	if got := faultKeys(err); !slices.Equal(got, []string{"0 --listen", "0 --kubebox", "0 --drift-interval"}) {
		t.Errorf("got faults at %q", got)
	}
	if _, err := os.Stat(dataDir); err == nil {
		t.Error("the data folder was made all the same")
	}
}
