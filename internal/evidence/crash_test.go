package evidence_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"k8s.io/klog/v2"

	"github.com/meridian-fleet/meridian/internal/evidence"
	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/inventory"
)

// crashFolder tells a second life of this test's binary where to write until
// it is killed.
const crashFolder = "EVIDENCE_TEST_FOLDER"

func TestMain(m *testing.M) {
	klog.SetSlogLogger(slog.New(slog.NewTextHandler(io.Discard, nil))) // Tessera's
	if folder := os.Getenv(crashFolder); folder != "" {
		if err := writeForEver(folder); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

// writeForEver changes a dataset again and again and says each revision.
func writeForEver(folder string) error {
	ctx := context.Background()
	store, err := inventory.OpenSQLite(ctx, filepath.Join(folder, "inventory.db"))
	if err != nil {
		return err
	}
	if _, err := evidence.Open(ctx, evidence.Config{Dir: filepath.Join(folder, "evidence"), Store: store}); err != nil {
		return err
	}
	for i := 0; ; i++ {
		dataset, err := fleet.NewResource(fleet.KindDataset, "patients", fleet.DatasetSpec{Title: fmt.Sprint(os.Getpid(), " ", i)}, nil)
		if err != nil {
			return err
		}
		if _, err := store.Apply(ctx, "ann", []fleet.Resource{dataset}, inventory.ApplyOptions{}); err != nil {
			return err
		}
		fmt.Println(i)
	}
}

// TestKilled kills a process that logs, at odd moments, and looks that each
// change is in the log exactly once afterwards.
func TestKilled(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	for _, changes := range []int{3, 40, 7, 120, 25} {
		p.close()
		command := exec.CommandContext(t.Context(), os.Args[0]) //nolint:gosec // itself
		command.Env = append(os.Environ(), crashFolder+"="+p.dir)
		command.Stderr = os.Stderr
		output, err := command.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := command.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(output)
		for seen := 0; seen < changes && lines.Scan(); seen++ {
		}
		if err := command.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = command.Wait() // says that it was killed
		p.open()
		revision, err := p.store.Revision(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		p.mustBeIntact(revision)
	}
}

// TestConcurrentUse writes, verifies and exports at once.
func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.fill()
	var running sync.WaitGroup
	for writer := range 3 {
		running.Go(func() {
			for i := range 30 {
				p.dataset(name(writer), fmt.Sprint(i))
			}
		})
	}
	for range 3 {
		running.Go(func() {
			report, err := p.log.Verify(context.Background())
			if err != nil || !report.Intact {
				t.Errorf("%+v, %v", report, err)
			}
		})
		running.Go(func() {
			if _, err := p.log.Export(context.Background(), p.body()); err != nil {
				t.Error(err)
			}
		})
	}
	running.Wait()
	p.mustBeIntact(7 + 90 + 3)
}

// TestExternalWitness has the checkpoints cosigned by a witness behind HTTP.
func TestExternalWitness(t *testing.T) {
	t.Parallel()
	p := &place{t: t, dir: t.TempDir()}
	t.Cleanup(p.close)
	store, err := inventory.OpenSQLite(context.Background(), p.database())
	if err != nil {
		t.Fatal(err)
	}
	p.store = store
	// The witness has to know the log's key before the log has any checkpoint.
	keys, err := evidence.MakeKeys(p.logFolder())
	if err != nil {
		t.Fatal(err)
	}
	witness, key, err := evidence.NewWitness(filepath.Join(p.dir, "elsewhere"), keys)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(witness)
	t.Cleanup(server.Close)
	p.external = &evidence.ExternalWitness{URL: server.URL, Key: key}
	if p.log, err = evidence.Open(context.Background(), p.config()); err != nil {
		t.Fatal(err)
	}
	p.fill()
	report := p.mustBeIntact(7)
	if !strings.Contains(report.Details["witness key"], "meridian-witness") {
		t.Errorf("%+v", report)
	}
}
