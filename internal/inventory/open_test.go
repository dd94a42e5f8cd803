package inventory

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/inventory/postgrestest"
)

func openTemporary(t *testing.T) (*database, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "new folder", "a b?c#d%.db")
	store, err := OpenSQLite(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() }) // a second time does no harm
	return store.(*database), path          //nolint:forcetypeassert // what OpenSQLite returns
}

func someRegion(name, profile string) fleet.Resource {
	resource, err := fleet.NewResource(fleet.KindRegion, name, fleet.RegionSpec{Profile: profile}, nil)
	if err != nil {
		panic(err) // the test's own values
	}
	return resource
}

// TestClock turns the clock back and stops it: recorded time goes on, in
// microseconds and UTC.
func TestClock(t *testing.T) {
	t.Parallel()
	store, _ := openTemporary(t)
	start := time.Date(2026, 1, 2, 3, 4, 5, 123456789, time.FixedZone("east", 3600))
	for i, now := range []time.Time{start, start.Add(-time.Hour), start, start.Add(time.Second)} {
		store.now = func() time.Time { return now }
		_, err := store.Apply(t.Context(), "tester", []fleet.Resource{someRegion("aws/x", strings.Repeat("p", i+1))}, ApplyOptions{})
		if err != nil {
			t.Fatal(err)
		}
	}
	changes, err := store.History(t.Context(), fleet.Ref{Kind: fleet.KindRegion, Name: "aws/x"})
	if err != nil || len(changes) != 4 {
		t.Fatalf("%v, %v", changes, err)
	}
	first := start.Truncate(time.Microsecond)
	for i, want := range []time.Time{first, first.Add(time.Microsecond), first.Add(2 * time.Microsecond), first.Add(time.Second)} {
		if !changes[i].At.Equal(want) || changes[i].At.Location() != time.UTC {
			t.Errorf("change %d at %v, want %v", i, changes[i].At, want)
		}
	}
}

func TestSQLiteFile(t *testing.T) {
	t.Parallel()
	store, path := openTemporary(t)
	if _, err := store.Apply(t.Context(), "tester", []fleet.Resource{someRegion("aws/x", "p")}, ApplyOptions{}); err != nil {
		t.Fatal(err)
	}
	files, _ := filepath.Glob(filepath.Join(filepath.Dir(path), "*"))
	if len(files) < 2 { // the database and its log
		t.Errorf("files: %q", files)
	}
	for _, file := range files {
		if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", file, info.Mode(), err)
		}
	}
}

func TestSQLiteRefusesOtherFiles(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a.db")
	if err := os.WriteFile(path, []byte(strings.Repeat("not a database\n", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenSQLite(t.Context(), path); !errors.Is(err, fleet.ErrNeedsHuman) || !strings.Contains(err.Error(), path) {
		t.Errorf("a text file: %v", err)
	}
	if _, err := OpenSQLite(t.Context(), t.TempDir()); !errors.Is(err, fleet.ErrUnavailable) {
		t.Errorf("a folder: %v", err)
	}
}

// TestHistoryOnlyGrows asks each database itself to change the past.
func TestHistoryOnlyGrows(t *testing.T) {
	t.Parallel()
	for name, open := range map[string]func(t *testing.T) *database{
		"sqlite":   func(t *testing.T) *database { t.Helper(); store, _ := openTemporary(t); return store },
		"postgres": openTemporaryPostgres,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := open(t)
			if _, err := store.Apply(t.Context(), "tester", []fleet.Resource{someRegion("aws/x", "p")}, ApplyOptions{}); err != nil {
				t.Fatal(err)
			}
			for _, statement := range []string{"DELETE FROM changes", "UPDATE changes SET actor = 'other'"} {
				if _, err := store.write.ExecContext(t.Context(), statement); err == nil {
					t.Errorf("%s worked", statement)
				}
			}
		})
	}
}

func openTemporaryPostgres(t *testing.T) *database {
	t.Helper()
	store, err := OpenPostgres(t.Context(), postgrestest.Database(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() }) // a second time does no harm
	return store.(*database)                //nolint:forcetypeassert // what OpenPostgres returns
}

// TestNewerSchema opens databases that a later version has migrated.
func TestNewerSchema(t *testing.T) {
	t.Parallel()
	future := func(t *testing.T, db *sql.DB) {
		t.Helper()
		if _, err := db.ExecContext(t.Context(), "INSERT INTO inventory_schema (version_id, is_applied) VALUES (99, $1)", true); err != nil {
			t.Fatal(err)
		}
	}
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		store, path := openTemporary(t)
		future(t, store.write)
		_ = store.Close() // only its file matters
		if _, err := OpenSQLite(t.Context(), path); !errors.Is(err, fleet.ErrConflict) {
			t.Errorf("opened: %v", err)
		}
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		address := postgrestest.Database(t)
		store, err := OpenPostgres(t.Context(), address)
		if err != nil {
			t.Fatal(err)
		}
		future(t, store.(*database).write) //nolint:forcetypeassert // what OpenPostgres returns
		_ = store.Close()                  // only its database matters
		if _, err := OpenPostgres(t.Context(), address); !errors.Is(err, fleet.ErrConflict) {
			t.Errorf("opened: %v", err)
		}
	})
}

func TestPostgresAddress(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	for address, kind := range map[string]*fleet.ErrorKind{
		"postgres://user:verysecret@[::1/fleet":                                            fleet.ErrInvalid,
		"postgres://user:verysecret@127.0.0.1:1/fleet?sslmode=disable":                     fleet.ErrUnavailable,
		strings.Replace(postgrestest.Database(t), "postgres:///test", "postgres:///no", 1): fleet.ErrNeedsHuman,
	} {
		_, err := OpenPostgres(ctx, address)
		if !errors.Is(err, kind) || strings.Contains(err.Error(), "verysecret") {
			t.Errorf("%v, want %v", err, kind)
		}
	}
}

// TestPostgresOutage cuts every connection: what was under way may fail as
// unavailable, and the next calls and watches work again.
func TestPostgresOutage(t *testing.T) {
	t.Parallel()
	store := openTemporaryPostgres(t)
	changes, err := store.Watch(t.Context(), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	limit := time.After(2 * time.Minute)
	for i, profile := range []string{"a", "b", "c"} {
		_, err := store.read.ExecContext(t.Context(),
			"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
		if err != nil {
			t.Fatal(err)
		}
		for {
			_, err := store.Apply(t.Context(), "tester", []fleet.Resource{someRegion("aws/x", profile)}, ApplyOptions{})
			if err == nil {
				break
			}
			if !errors.Is(err, fleet.ErrUnavailable) {
				t.Fatal(err)
			}
		}
		select {
		case change := <-changes:
			if change.Revision != int64(i)+1 {
				t.Errorf("revision %d, want %d", change.Revision, i+1)
			}
		case <-limit:
			t.Fatal("the watch is dead")
		}
	}
}

func TestReferring(t *testing.T) {
	t.Parallel()
	store, _ := openTemporary(t)
	declare := func(kind fleet.Kind, name string, spec any) fleet.Resource {
		resource, err := fleet.NewResource(kind, name, spec, nil)
		if err != nil {
			t.Fatal(err)
		}
		return resource
	}
	region := declare(fleet.KindRegion, "aws/x", fleet.RegionSpec{Profile: "gpu", Baseline: "platform@1.0.0"})
	cluster := declare(fleet.KindCluster, "c", fleet.ClusterSpec{Region: "aws/x", Profile: "gpu"})
	running := declare(fleet.KindRollout, "r1", fleet.RolloutSpec{Baseline: "platform@1.1.0", Strategy: "careful"})
	done := declare(fleet.KindRollout, "r2", fleet.RolloutSpec{Baseline: "platform@0.9.0", Strategy: "careful"})
	region.Spec = json.RawMessage(`{"profile":"gpu","baseline":"platform@1.0.0","data":[{"classes":["health"]}]}`)
	documents := []fleet.Resource{region, cluster, running, done,
		declare(fleet.KindJurisdictionGroup, "EEA", fleet.JurisdictionGroupSpec{Members: []fleet.GroupMember{{Group: "EU"}, {Country: "NO"}}}),
		declare(fleet.KindDataClass, "health", fleet.DataClassSpec{Inherits: []string{"personal"}}),
		declare(fleet.KindResidencyPolicy, "law", fleet.ResidencyPolicySpec{
			AppliesTo: fleet.PolicySubjects{Classes: []string{"personal"}},
			Rules:     []fleet.Rule{{Name: "stays", AllowOnly: &fleet.Scope{Anywhere: true, Except: &fleet.Scope{Groups: []string{"EEA"}}}}},
		}),
		declare(fleet.KindDataset, "patients", fleet.DatasetSpec{Classes: []string{"health"}, Bindings: []fleet.Binding{{Region: "aws/x"}}}),
		declare(fleet.KindWorkload, "portal", fleet.WorkloadSpec{Datasets: []fleet.DatasetUse{{Dataset: "patients"}}}),
	}
	for name, period := range map[string]fleet.Period{"over": {Until: "2020-02-29"}, "open": {Until: "9000-01-01T00:00:00Z"}, "revoked": {Until: "9000-01-01"}} {
		documents = append(documents, declare(fleet.KindException, name, fleet.ExceptionSpec{Policy: "law", Subject: fleet.Ref{Kind: fleet.KindDataset, Name: "patients"}, Period: period}))
	}
	if _, err := store.Apply(t.Context(), "tester", documents, ApplyOptions{}); err != nil {
		t.Fatal(err)
	}
	for ref, status := range map[fleet.Ref]any{
		cluster.Ref(): fleet.ClusterStatus{Baseline: &fleet.ClusterBaseline{Target: "platform@1.0.0", Applied: "platform@0.9.0"}},
		running.Ref(): fleet.RolloutStatus{Phase: fleet.PhaseRunning, Waves: []fleet.WaveStatus{{Clusters: []string{"c"}}}},
		done.Ref():    fleet.RolloutStatus{Phase: fleet.PhaseSucceeded, Waves: []fleet.WaveStatus{{Clusters: []string{"c"}}}},

		{Kind: fleet.KindException, Name: "revoked"}: fleet.ExceptionStatus{Phase: fleet.ExceptionRevoked},
	} {
		if err := store.UpdateStatus(t.Context(), "tester", ref, func(json.RawMessage) (any, error) { return status, nil }); err != nil {
			t.Fatal(err)
		}
	}
	for to, want := range map[fleet.Ref]string{
		{Kind: fleet.KindClusterProfile, Name: "gpu"}:        "[Region aws/x Cluster c]",
		{Kind: fleet.KindRegion, Name: "aws/x"}:              "[Cluster c]",
		{Kind: fleet.KindBaseline, Name: "platform@1.0.0"}:   "[Region aws/x Cluster c]",
		{Kind: fleet.KindBaseline, Name: "platform@0.9.0"}:   "[Cluster c]",
		{Kind: fleet.KindBaseline, Name: "platform@1.1.0"}:   "[Rollout r1]",
		{Kind: fleet.KindRolloutStrategy, Name: "careful"}:   "[Rollout r1]",
		{Kind: fleet.KindCluster, Name: "c"}:                 "[Rollout r1]",
		{Kind: fleet.KindClusterProfile, Name: "unreferred"}: "[]",
		{Kind: fleet.KindJurisdictionGroup, Name: "EU"}:      "[JurisdictionGroup EEA]",
		{Kind: fleet.KindJurisdictionGroup, Name: "EEA"}:     "[ResidencyPolicy law]",
		{Kind: fleet.KindDataClass, Name: "personal"}:        "[ResidencyPolicy law DataClass health]",
		{Kind: fleet.KindDataClass, Name: "health"}:          "[Region aws/x Dataset patients]",
		{Kind: fleet.KindResidencyPolicy, Name: "law"}:       "[Exception open]",
		{Kind: fleet.KindDataset, Name: "patients"}:          "[Workload portal]",
	} {
		got, err := Referring(t.Context(), store, to)
		if text := fmt.Sprint(got); err != nil || text != want {
			t.Errorf("%s: %s, want %s; %v", to, text, want, err)
		}
	}
}
