package evidence_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"testing"

	"github.com/meridian-fleet/meridian/internal/evidence"
	"github.com/meridian-fleet/meridian/internal/evidence/pack"
	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/inventory"
)

// BenchmarkLog measures, with 10,000 changes: a new log until it has them all
// and is verified, a verification, an export of 200 documents, and the
// verification of that pack.
func BenchmarkLog(b *testing.B) {
	ctx := context.Background()
	dir := b.TempDir()
	store, err := inventory.OpenSQLite(ctx, filepath.Join(dir, "inventory.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer store.Close()
	for batch := range 20 {
		var datasets []fleet.Resource
		for i := range 500 {
			datasets = append(datasets, benchmarked(b, fmt.Sprint("dataset-", i), fmt.Sprint("title ", batch)))
		}
		if _, err := store.Apply(ctx, "ann", datasets, inventory.ApplyOptions{}); err != nil {
			b.Fatal(err)
		}
	}
	b.Run("follow 10000 changes", func(b *testing.B) {
		for b.Loop() {
			log := benchmarkedLog(b, b.TempDir(), store)
			mustVerify(b, log)
			_ = log.Close()
		}
	})
	log := benchmarkedLog(b, filepath.Join(dir, "evidence"), store)
	defer log.Close()
	mustVerify(b, log)
	b.Run("verify", func(b *testing.B) {
		for b.Loop() {
			mustVerify(b, log)
		}
	})
	body := fleet.EvidenceBody{Title: "Benchmark"}
	changes, err := store.Changes(ctx, inventory.ChangeQuery{Limit: 200})
	if err != nil {
		b.Fatal(err)
	}
	for _, change := range changes {
		body.Subjects = append(body.Subjects, fleet.Recorded{Revision: change.Revision, At: change.At, Actor: change.Actor, Action: change.Action, Ref: change.Ref, Document: change.Document})
	}
	var content []byte
	b.Run("export", func(b *testing.B) {
		for b.Loop() {
			if content, err = log.Export(ctx, body); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("verify pack", func(b *testing.B) {
		for b.Loop() {
			if report, err := pack.Verify(content, pack.Options{}); err != nil || !report.Intact {
				b.Fatal(report, err)
			}
		}
	})
}

func benchmarked(b *testing.B, name, title string) fleet.Resource {
	b.Helper()
	resource, err := fleet.NewResource(fleet.KindDataset, name, fleet.DatasetSpec{Title: title, Classes: []string{"personal"}}, nil)
	if err != nil {
		b.Fatal(err)
	}
	return resource
}

func benchmarkedLog(b *testing.B, dir string, store inventory.Store) *evidence.Log {
	b.Helper()
	log, err := evidence.Open(context.Background(), evidence.Config{Dir: dir, Store: store, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		b.Fatal(err)
	}
	return log
}

func mustVerify(b *testing.B, log *evidence.Log) {
	b.Helper()
	if report, err := log.Verify(context.Background()); err != nil || !report.Intact {
		b.Fatal(report, err)
	}
}
