package daemon

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/server"
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
	for _, token := range first.API.Tokens {
		info, err := os.Stat(filepath.Join(first.DataDir, "users", token.User+".token"))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("the token file of %s has %v (%v)", token.User, info, err)
		}
	}
	if first.Client.Users != filepath.Join(first.DataDir, "users") {
		t.Errorf("fleetctl is told of users in %s", first.Client.Users)
	}
	second, err := Dev(DevOptions{Kubebox: kubebox})
	if err != nil {
		t.Fatal(err)
	}
	if first.Client.Token == "" || first.Client.Token != second.Client.Token {
		t.Error("the token is not kept")
	}
}

// TestDevUsers: the parts are parted in dev mode, too, and the one user who is
// fleetctl by itself cannot approve what it asks for.
func TestDevUsers(t *testing.T) {
	t.Parallel()
	tokens, err := ensureUsers(filepath.Join(t.TempDir(), "users"))
	if err != nil {
		t.Fatal(err)
	}
	known, err := staticTokens(tokens)
	if err != nil {
		t.Fatal(err)
	}
	approvers := 0
	for _, user := range tokens {
		token, err := readToken(user.File)
		if err != nil {
			t.Fatal(err)
		}
		identity, err := known.Authenticate(t.Context(), http.Header{"Authorization": {"Bearer " + token}})
		if err != nil || identity.User != user.User || !slices.Equal(identity.Roles, user.Roles) {
			t.Errorf("%s is %+v, %v", user.User, identity, err)
		}
		if slices.Contains(identity.Roles, server.Approver) {
			approvers++
			if len(identity.Roles) > 1 {
				t.Errorf("%s approves and has the roles %v", user.User, identity.Roles)
			}
		}
	}
	if first := tokens[0]; first.User != "admin" || !slices.Contains(first.Roles, server.Admin) || !slices.Contains(first.Roles, server.Compliance) {
		t.Errorf("fleetctl is %+v by itself", first)
	}
	if approvers < fleet.NeededApprovals {
		t.Errorf("%d users approve; an exception takes %d", approvers, fleet.NeededApprovals)
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
