package evidence_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	_ "modernc.org/sqlite" // the inventory's file, behind its back

	"github.com/meridian-fleet/meridian/internal/evidence"
	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/inventory"
)

// place is an inventory and a log in a folder, as fleetd has them.
type place struct {
	t        *testing.T
	dir      string
	store    inventory.Store
	log      *evidence.Log
	external *evidence.ExternalWitness
	replaces []string
	shared   bool
}

func newPlace(t *testing.T) *place {
	t.Helper()
	p := &place{t: t, dir: t.TempDir()}
	t.Cleanup(p.close)
	p.open()
	return p
}

func (p *place) database() string  { return filepath.Join(p.dir, "inventory.db") }
func (p *place) logFolder() string { return filepath.Join(p.dir, "evidence") }

func (p *place) open() {
	p.t.Helper()
	var err error
	if p.store, err = inventory.OpenSQLite(context.Background(), p.database()); err != nil {
		p.t.Fatal(err)
	}
	if p.log, err = evidence.Open(context.Background(), p.config()); err != nil {
		p.t.Fatal(err)
	}
}

// name of the log.
func (p *place) name() string {
	key, _ := p.log.Keys()
	name, _, _ := strings.Cut(key, "+")
	return name
}

func (p *place) config() evidence.Config {
	return evidence.Config{Dir: p.logFolder(), Store: p.store, Logger: slog.New(slog.NewTextHandler(io.Discard, nil)), External: p.external, Replaces: p.replaces, Shared: p.shared}
}

func (p *place) close() {
	p.t.Helper()
	if p.log != nil {
		if err := p.log.Close(); err != nil {
			p.t.Error(err)
		}
		p.log = nil
	}
	if p.store != nil {
		if err := p.store.Close(); err != nil {
			p.t.Error(err)
		}
		p.store = nil
	}
}

// dataset writes a Dataset under some name, each time with another title.
func (p *place) dataset(name, title string) {
	p.t.Helper()
	p.apply("ann@example.org", resource(p.t, fleet.KindDataset, name, fleet.DatasetSpec{
		Title: title, Classes: []string{"personal"},
		Facts: map[string]fleet.DataFact{"purpose": {Value: json.RawMessage(`"secret-purpose"`)}},
	}))
}

func (p *place) apply(actor string, resources ...fleet.Resource) {
	p.t.Helper()
	if _, err := p.store.Apply(context.Background(), actor, resources, inventory.ApplyOptions{}); err != nil {
		p.t.Fatal(err)
	}
}

func resource(t *testing.T, kind fleet.Kind, name string, spec any) fleet.Resource {
	t.Helper()
	made, err := fleet.NewResource(kind, name, spec, nil)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// fill makes eight changes: revisions 1 to 8, of which 4 is of no interest.
func (p *place) fill() {
	p.t.Helper()
	p.apply("ann@example.org", resource(p.t, fleet.KindDataClass, "personal", fleet.DataClassSpec{Title: "Personal data"}))
	p.dataset("patients", "one")
	p.dataset("customers", "one")
	p.apply("bob@example.org", resource(p.t, fleet.KindClusterProfile, "small", fleet.ClusterProfileSpec{}))
	p.dataset("patients", "two")
	p.dataset("staff", "one")
	if err := p.store.Delete(context.Background(), "bob@example.org", fleet.Ref{Kind: fleet.KindDataset, Name: "staff"}, nil); err != nil {
		p.t.Fatal(err)
	}
	p.dataset("customers", "two <b>")
}

func (p *place) verify() fleet.EvidenceReport {
	p.t.Helper()
	report, err := p.log.Verify(context.Background())
	if err != nil {
		p.t.Fatal(err)
	}
	return report
}

func (p *place) mustBeIntact(entries int64) fleet.EvidenceReport {
	p.t.Helper()
	report := p.verify()
	if !report.Intact || len(report.Faults) > 0 || report.Size != entries {
		p.t.Fatalf("want %d entries, intact; got %+v", entries, report)
	}
	return report
}

// edit runs SQL on the closed inventory's file, without its triggers.
func (p *place) edit(statements ...string) {
	p.t.Helper()
	db, err := sql.Open("sqlite", "file:"+p.database())
	if err != nil {
		p.t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	for _, statement := range append([]string{"DROP TRIGGER IF EXISTS changes_stay", "DROP TRIGGER IF EXISTS changes_remain"}, statements...) {
		if _, err := db.Exec(statement); err != nil {
			p.t.Fatalf("%s: %v", statement, err)
		}
	}
}

// has reports whether a fault's place contains all of some texts.
func has(report fleet.EvidenceReport, parts ...string) bool {
	return slices.ContainsFunc(report.Faults, func(fault fleet.EvidenceFault) bool {
		return !slices.ContainsFunc(parts, func(part string) bool { return !strings.Contains(fault.Where, part) })
	})
}

// files below a folder, by their path in it.
func files(t *testing.T, folder string) map[string][]byte {
	t.Helper()
	found := map[string][]byte{}
	err := filepath.WalkDir(folder, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path) //nolint:gosec // the test's own folder
		name, _ := filepath.Rel(folder, path)
		found[name] = content
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// restore makes a folder's files those of before.
func restore(t *testing.T, folder string, before map[string][]byte) {
	t.Helper()
	if err := os.RemoveAll(folder); err != nil {
		t.Fatal(err)
	}
	for name, content := range before {
		write(t, filepath.Join(folder, name), content)
	}
}

func write(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// body is a report over everything recorded.
func (p *place) body() fleet.EvidenceBody {
	p.t.Helper()
	body := fleet.EvidenceBody{Title: "Quarter <1>", MadeAt: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), MadeBy: "ann@example.org", Version: "test", Disclaimer: "Not legal advice."}
	changes, err := p.store.Changes(context.Background(), inventory.ChangeQuery{Kinds: evidence.Kinds})
	if err != nil {
		p.t.Fatal(err)
	}
	for _, change := range changes {
		recorded := fleet.Recorded{Revision: change.Revision, At: change.At, Actor: change.Actor, Action: change.Action, Ref: change.Ref, Document: change.Document}
		if change.Ref.Kind == fleet.KindDataClass {
			body.Policies = append(body.Policies, recorded)
		} else {
			body.Subjects = append(body.Subjects, recorded)
		}
	}
	return body
}

func name(i int) string { return fmt.Sprintf("dataset-%04d", i) }
