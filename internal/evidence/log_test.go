package evidence_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/meridian-fleet/meridian/internal/evidence"
	"github.com/meridian-fleet/meridian/internal/evidence/pack"
	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/inventory"
)

func TestEveryChangeIsLoggedOnce(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.mustBeIntact(0)
	p.fill()
	first := p.mustBeIntact(7)
	if len(first.SignedBy) != 2 || first.Root == "" || len(first.Checked) != 8 {
		t.Errorf("%+v", first)
	}
	for range 3 { // nothing twice, whatever is read again
		p.close()
		p.open()
		if again := p.mustBeIntact(7); again.Root != first.Root {
			t.Fatalf("the tree changed: %s, %s", first.Root, again.Root)
		}
	}
	p.close()
	store, err := inventory.OpenSQLite(context.Background(), p.database()) // while nobody logs
	if err != nil {
		t.Fatal(err)
	}
	p.store = store
	for i := range 300 {
		p.dataset(name(i), "one")
	}
	p.close()
	p.open()
	p.mustBeIntact(307)
	if report, err := pack.Verify(p.export(), pack.Options{}); err != nil || !report.Intact || report.Size != 308 {
		t.Errorf("%+v, %v", report, err)
	}
}

// Where a cluster is and what a baseline handles is logged; how work with
// regions and clusters goes is not.
func TestProgressIsNotLogged(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	region := resource(t, fleet.KindRegion, "aws/eu-central-1", fleet.RegionSpec{Profile: "small"})
	cluster := resource(t, fleet.KindCluster, "one", fleet.ClusterSpec{Region: "aws/eu-central-1", Profile: "small"})
	p.apply("ann", region, cluster)
	digest := fmt.Sprintf("sha256:%x", sha256.Sum256([]byte("files")))
	baseline, err := fleet.NewResource(fleet.KindBaseline, "platform@1.0.0", fleet.BaselineSpec{}, fleet.BaselineStatus{Digest: digest})
	if err != nil {
		t.Fatal(err)
	}
	bundle := inventory.Bundle{Resource: baseline, Digest: digest, Content: []byte("files")}
	if _, err := p.store.PutBundle(context.Background(), "ann", bundle, inventory.ApplyOptions{}); err != nil {
		t.Fatal(err)
	}
	for _, told := range []struct {
		ref    fleet.Ref
		status any
	}{{region.Ref(), fleet.RegionStatus{Step: "waits"}}, {cluster.Ref(), fleet.ClusterStatus{Message: "waits"}}} {
		if err := p.store.UpdateStatus(context.Background(), "ann", told.ref, func(json.RawMessage) (any, error) { return told.status, nil }); err != nil {
			t.Fatal(err)
		}
	}
	p.mustBeIntact(3)
	p.edit(`UPDATE resources SET document = replace(document, 'aws/eu-central-1', 'aws/us-east-1') WHERE kind = 'Cluster'`)
	if report := p.verify(); !has(report, "Cluster one") {
		t.Errorf("a cluster moved behind our back: %+v", report)
	}
	p.edit(`UPDATE changes SET document = replace(document, 'aws/eu-central-1', 'aws/us-east-1') WHERE kind = 'Cluster' AND action = 'status'`,
		`UPDATE changes SET document = replace(document, '"small"', '"large"') WHERE kind = 'Region' AND action = 'status'`,
		`UPDATE resources SET document = replace(document, '"small"', '"large"') WHERE kind = 'Region'`)
	if report := p.verify(); !has(report, "revision 4", "Region aws/eu-central-1") || !has(report, "revision 5", "Cluster one") {
		t.Errorf("what is wanted was changed in a change of the status: %+v", report)
	}
}

func TestEntriesHoldNothingPersonal(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.fill()
	p.mustBeIntact(7)
	secrets := []string{"ann", "bob", "example.org", "secret-purpose", "Personal data"}
	entries := 0
	for path, content := range files(t, filepath.Join(p.logFolder(), "log")) {
		for _, secret := range secrets {
			if bytes.Contains(content, []byte(secret)) {
				t.Errorf("%s tells %q", path, secret)
			}
		}
		if strings.Contains(path, "entries") && bytes.Contains(content, []byte("patients")) {
			entries++
		}
	}
	if entries == 0 {
		t.Error("no file of entries was looked at")
	}
}

func TestKeysAreTheOwnersOnly(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	for _, name := range []string{"log.key", "actor.key", "witness/witness.key", "witness/checkpoints"} {
		info, err := os.Stat(filepath.Join(p.logFolder(), name))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
	info, err := os.Stat(p.logFolder())
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("%v, %v", info, err)
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.fill()
	p.mustBeIntact(7)
	if _, err := evidence.Open(context.Background(), p.config()); !errors.Is(err, fleet.ErrConflict) {
		t.Errorf("a second log in one folder: %v", err)
	}
	if _, err := evidence.Open(context.Background(), evidence.Config{}); !errors.Is(err, fleet.ErrInvalid) {
		t.Errorf("no folder: %v", err)
	}
	for _, key := range []string{"log.key", "actor.key", "witness/witness.key"} {
		store := p.store
		p.store = nil
		p.close()
		p.store = store
		path := filepath.Join(p.logFolder(), key)
		content, err := os.ReadFile(path) //nolint:gosec // the test's own folder
		if err != nil {
			t.Fatal(err)
		}
		for _, damage := range []string{"", "nonsense\n"} {
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			if damage != "" {
				write(t, path, []byte(damage))
			}
			if _, err := evidence.Open(context.Background(), p.config()); !errors.Is(err, fleet.ErrNeedsHuman) {
				t.Errorf("%s, damaged to %q: %v", key, damage, err)
			}
			write(t, path, content)
		}
	}
	p.store.Close()
	p.store = nil
	p.open()
	p.mustBeIntact(7)
}
