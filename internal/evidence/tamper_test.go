package evidence_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// TestEditedInventory changes the database behind everybody's back.
func TestEditedInventory(t *testing.T) {
	t.Parallel()
	const changed = `UPDATE changes SET document = replace(document, '"one"', '"uno"') WHERE revision = 3`
	for _, test := range []struct {
		name  string
		edits []string
		where [][]string // each must be named by a fault
	}{
		{"changed document", []string{changed}, [][]string{{"entry 2", "revision 3", "Dataset customers"}}},
		{"changed actor", []string{`UPDATE changes SET actor = 'mallory' WHERE revision = 2`}, [][]string{{"entry 1", "revision 2", "Dataset patients"}}},
		{"changed time", []string{`UPDATE changes SET recorded_at = recorded_at - 1 WHERE revision = 2`}, [][]string{{"revision 2"}}},
		{"changed action", []string{`UPDATE changes SET action = 'updated' WHERE revision = 2`}, [][]string{{"revision 2"}}},
		{"renamed", []string{`UPDATE changes SET name = 'patients2' WHERE revision = 5`}, [][]string{{"revision 5"}}},
		{"removed row", []string{`DELETE FROM changes WHERE revision = 5`}, [][]string{{"entry 3", "revision 5", "Dataset patients"}}},
		{"removed last row", []string{`DELETE FROM changes WHERE revision = 8`}, [][]string{{"entry 6", "revision 8", "Dataset customers"}}},
		{"row of another kind", []string{`UPDATE changes SET kind = 'Node' WHERE revision = 5`}, [][]string{{"entry 3", "revision 5"}}},
		{"swapped rows", []string{
			`UPDATE changes SET revision = 99 WHERE revision = 3`, `UPDATE changes SET revision = 3 WHERE revision = 2`,
			`UPDATE changes SET revision = 2 WHERE revision = 99`,
		}, [][]string{{"revision 2"}, {"revision 3"}}},
		{"inserted in a gap", []string{`UPDATE changes SET kind = 'Dataset', name = 'smuggled' WHERE revision = 4`}, [][]string{{"revision 4", "Dataset smuggled"}}},
		{"inserted beyond the end", []string{
			`INSERT INTO changes (revision, recorded_at, actor, action, kind, name, document) SELECT 9, recorded_at + 1, actor, action, kind, name, document FROM changes WHERE revision = 8`,
		}, [][]string{{"revision 9", "Dataset customers"}}},
		{"current document changed", []string{`UPDATE resources SET document = replace(document, '"two', '"duo') WHERE name = 'patients'`}, [][]string{{"revision 5", "Dataset patients"}}},
		{"current document broken", []string{`UPDATE resources SET document = '{' WHERE name = 'patients'`}, [][]string{{"Dataset"}}},
		{"current document removed", []string{`DELETE FROM resources WHERE name = 'patients'`}, [][]string{{"revision 5", "Dataset patients"}}},
		{"current document inserted", []string{`INSERT INTO resources SELECT kind, 'smuggled', owner, replace(document, 'patients', 'smuggled') FROM resources WHERE name = 'patients'`}, [][]string{{"Dataset smuggled"}}},
		{"current document under another name", []string{`INSERT INTO resources SELECT kind, 'smuggled', owner, document FROM resources WHERE name = 'patients'`}, [][]string{{"Dataset"}}},
		{"current documents swapped", []string{
			`UPDATE resources SET name = 'swap' WHERE name = 'patients'`, `UPDATE resources SET name = 'patients' WHERE name = 'customers'`,
			`UPDATE resources SET name = 'customers' WHERE name = 'swap'`,
		}, [][]string{{"Dataset"}}},
		{"current owner changed", []string{`UPDATE resources SET owner = 'nobody' WHERE name = 'patients'`}, [][]string{{"Dataset"}}},
		{"time of the head moved", []string{`UPDATE head SET recorded_at = recorded_at + 1000000000000`}, [][]string{{"history"}}},
		{"history and current changed alike", []string{
			`UPDATE changes SET document = replace(document, '"two', '"duo') WHERE revision = 5`,
			`UPDATE resources SET document = replace(document, '"two', '"duo') WHERE name = 'patients'`,
		}, [][]string{{"entry 3", "revision 5", "Dataset patients"}}},
		{"cut off", []string{`DELETE FROM changes WHERE revision > 3`, `UPDATE head SET revision = 3`, `DELETE FROM resources WHERE kind <> 'DataClass'`}, [][]string{{"revision 5"}, {"revision 8"}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t)
			p.fill()
			p.mustBeIntact(7)
			p.edit(test.edits...) // while it runs
			running := p.verify()
			p.close()
			p.open() // and from the beginning
			for when, report := range map[string]fleet.EvidenceReport{"running": running, "reopened": p.verify()} {
				if report.Intact {
					t.Errorf("%s: intact: %+v", when, report)
				}
				for _, where := range test.where {
					if !has(report, where...) {
						t.Errorf("%s: no fault at %q in %+v", when, where, report.Faults)
					}
				}
			}
		})
	}
}

// TestEditedLog changes the log's files while it is closed.
func TestEditedLog(t *testing.T) {
	t.Parallel()
	newestOf := func(t *testing.T, folder, under string) string {
		t.Helper()
		var newest string
		for name := range files(t, folder) {
			if strings.HasPrefix(name, under) && len(name) >= len(newest) && name > newest {
				newest = name
			}
		}
		return filepath.Join(folder, newest)
	}
	replace := func(t *testing.T, path, before, after string) {
		t.Helper()
		content, err := os.ReadFile(path) //nolint:gosec // the test's own folder
		if err != nil || !bytes.Contains(content, []byte(before)) {
			t.Fatalf("%s has no %q: %v", path, before, err)
		}
		write(t, path, bytes.Replace(content, []byte(before), []byte(after), 1))
	}
	for _, test := range []struct {
		name  string
		edit  func(t *testing.T, evidence string, early map[string][]byte)
		where []string
	}{
		{"changed byte of an entry", func(t *testing.T, evidence string, _ map[string][]byte) {
			replace(t, newestOf(t, filepath.Join(evidence, "log"), "tile/entries"), `"revision":5`, `"revision":6`)
		}, []string{"entry 4"}},
		{"broken entry", func(t *testing.T, evidence string, _ map[string][]byte) {
			replace(t, newestOf(t, filepath.Join(evidence, "log"), "tile/entries"), `"revision":5`, `"revision":}`)
		}, []string{"entry 4"}},
		{"removed entries", func(t *testing.T, evidence string, _ map[string][]byte) {
			if err := os.Remove(newestOf(t, filepath.Join(evidence, "log"), "tile/entries")); err != nil {
				t.Fatal(err)
			}
		}, []string{"entry 0"}},
		{"changed hash", func(t *testing.T, evidence string, _ map[string][]byte) {
			path := newestOf(t, filepath.Join(evidence, "log"), "tile/0")
			content, _ := os.ReadFile(path) //nolint:gosec // the test's own folder
			content[40] ^= 1
			write(t, path, content)
		}, []string{"entry 1"}},
		{"changed entry of an earlier size", func(t *testing.T, evidence string, _ map[string][]byte) {
			replace(t, filepath.Join(evidence, "log/tile/entries/000.p/3"), `"revision":1`, `"revision":2`)
		}, []string{"file tile/entries/000.p/3"}},
		{"changed hash of an earlier size", func(t *testing.T, evidence string, _ map[string][]byte) {
			path := filepath.Join(evidence, "log/tile/0/000.p/3")
			content, _ := os.ReadFile(path) //nolint:gosec // the test's own folder
			write(t, path, content[1:])
		}, []string{"file tile/0/000.p/3"}},
		{"changed checkpoint", func(t *testing.T, evidence string, _ map[string][]byte) {
			replace(t, filepath.Join(evidence, "log/checkpoint"), "\n7\n", "\n8\n")
		}, []string{"checkpoint"}},
		{"older checkpoint", func(t *testing.T, evidence string, early map[string][]byte) {
			write(t, filepath.Join(evidence, "log/checkpoint"), early["log/checkpoint"])
		}, nil}, // the next one overwrites it at once
		{"rolled back", func(t *testing.T, evidence string, early map[string][]byte) {
			kept, _ := os.ReadFile(filepath.Join(evidence, "witness/checkpoints")) //nolint:gosec // the test's own folder
			restore(t, evidence, early)
			write(t, filepath.Join(evidence, "witness/checkpoints"), kept)
		}, []string{"cut off"}},
		{"witness rolled back", func(t *testing.T, evidence string, early map[string][]byte) {
			write(t, filepath.Join(evidence, "witness/checkpoints"), early["witness/checkpoints"])
		}, []string{"checkpoint"}},
		{"file half written when the process was killed", func(t *testing.T, evidence string, _ map[string][]byte) {
			write(t, filepath.Join(evidence, "log/tile/entries/000.p/71804289383"), []byte("\x01"))
		}, nil},
		{"checkpoint half written when the power went", func(t *testing.T, evidence string, _ map[string][]byte) {
			path := filepath.Join(evidence, "witness/checkpoints")
			content, _ := os.ReadFile(path) //nolint:gosec // the test's own folder
			write(t, path, append(content, `"meridian-evid`...))
		}, nil},
		{"witness's memory removed", func(t *testing.T, evidence string, _ map[string][]byte) {
			if err := os.Remove(filepath.Join(evidence, "witness/checkpoints")); err != nil {
				t.Fatal(err)
			}
		}, []string{"checkpoint"}},
		{"witness's memory changed", func(t *testing.T, evidence string, _ map[string][]byte) {
			replace(t, filepath.Join(evidence, "witness/checkpoints"), `\n2\n`, `\n3\n`)
		}, []string{" kept"}},
		{"witness's memory broken", func(t *testing.T, evidence string, _ map[string][]byte) {
			replace(t, filepath.Join(evidence, "witness/checkpoints"), `"`, `'`)
		}, []string{"checkpoints kept"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t)
			p.dataset("patients", "zero")
			p.dataset("patients", "one")
			p.mustBeIntact(2)
			p.close()
			early := files(t, p.logFolder())
			p.open()
			p.dataset("customers", "one")
			p.mustBeIntact(3)
			for _, title := range []string{"two", "three", "four", "five"} {
				p.dataset("patients", title)
			}
			p.mustBeIntact(7)
			p.close()
			test.edit(t, p.logFolder(), early)
			p.open()
			if test.where == nil {
				p.mustBeIntact(7)
				return
			}
			report := p.verify()
			if report.Intact || !has(report, test.where[0]) && !strings.Contains(messages(report), test.where[0]) {
				t.Errorf("want a fault at %q, got %+v", test.where, report)
			}
		})
	}
}

// TestAppendedToFullFiles adds bytes where the log will never write again.
func TestAppendedToFullFiles(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	var datasets []fleet.Resource
	for i := range 300 {
		datasets = append(datasets, resource(t, fleet.KindDataset, name(i), fleet.DatasetSpec{Classes: []string{"personal"}}))
	}
	p.apply("ann", datasets...)
	p.mustBeIntact(300)
	for file, more := range map[string]string{"tile/entries/000": "\x00\x02{}", "tile/0/000": strings.Repeat("x", 32)} {
		path := filepath.Join(p.logFolder(), "log", file)
		content, err := os.ReadFile(path) //nolint:gosec // the test's own folder
		if err != nil {
			t.Fatal(err)
		}
		write(t, path, append(bytes.Clone(content), more...))
		if report := p.verify(); report.Intact {
			t.Errorf("%s: intact", file)
		}
		write(t, path, content)
	}
	p.mustBeIntact(300)
}

func messages(report fleet.EvidenceReport) string {
	var all []string
	for _, fault := range report.Faults {
		all = append(all, fault.Message)
	}
	return strings.Join(all, "\n")
}

// TestRewrittenLog replaces the whole log with another one, made with the
// log's own key, of the same length and over an inventory edited to fit.
func TestRewrittenLog(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.fill()
	p.mustBeIntact(7)
	p.close()
	kept := files(t, p.logFolder())
	p.edit(`UPDATE changes SET document = replace(document, '"two', '"duo') WHERE revision = 5`,
		`UPDATE resources SET document = replace(document, '"two', '"duo') WHERE name = 'patients'`)
	for _, folder := range []string{"log", "witness"} {
		if err := os.RemoveAll(filepath.Join(p.logFolder(), folder)); err != nil {
			t.Fatal(err)
		}
	}
	p.open() // with the log's keys, and a witness that knows nothing
	if report := p.verify(); !has(report, "noted in the inventory") {
		t.Errorf("the inventory knows nothing of the former log: %+v", report)
	}
	p.close()
	p.edit(`DELETE FROM logs`)
	p.open()
	p.mustBeIntact(7)
	p.close()
	for _, name := range []string{"witness/checkpoints", "witness/witness.key"} {
		write(t, filepath.Join(p.logFolder(), name), kept[name])
	}
	p.open()
	if report := p.verify(); report.Intact || p.log.Err() == nil {
		t.Errorf("a rewritten log passes: %+v", report)
	}
	p.dataset("patients", "three") // and is not grown either
	if _, err := p.log.Export(context.Background(), p.body()); !errors.Is(err, fleet.ErrNeedsHuman) {
		t.Errorf("export: %v", err)
	}
	report := p.verify()
	if report.Intact || !strings.Contains(messages(report), "not in the log") {
		t.Errorf("a change that is not logged passes: %+v", report)
	}
}

// TestBegunAnew removes the log with its keys and its witness.
func TestBegunAnew(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.fill()
	p.mustBeIntact(7)
	former := p.name()
	p.close()
	if err := os.RemoveAll(p.logFolder()); err != nil {
		t.Fatal(err)
	}
	p.open()
	if report := p.verify(); report.Intact || !has(report, former) {
		t.Errorf("a log begun anew passes: %+v", report)
	}
	if _, err := p.log.Export(context.Background(), p.body()); !errors.Is(err, fleet.ErrNeedsHuman) || !strings.Contains(err.Error(), former) {
		t.Errorf("export: %v", err)
	}
	p.close()
	p.shared = true // another fleetd has the other log
	p.open()
	if report := p.mustBeIntact(7); report.Details["other logs of this inventory"] != former {
		t.Errorf("the other log is not named: %v", report.Details)
	}
	p.close()
	p.shared, p.replaces = false, []string{former} // somebody says that it is lost
	p.open()
	p.mustBeIntact(7)
}

// TestSmallerBackup brings back an earlier state of the log and its witness.
func TestSmallerBackup(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.fill()
	p.mustBeIntact(7)
	p.close()
	early := files(t, p.logFolder())
	p.open()
	p.export()
	p.close()
	restore(t, p.logFolder(), early)
	p.open()
	if report := p.verify(); report.Intact || p.log.Err() == nil || !strings.Contains(p.log.Err().Error(), "cut off") {
		t.Errorf("a log without its last report passes: %+v, %v", report, p.log.Err())
	}
}

// TestRolledBackWhileRunning takes the tree's files away from under the log.
func TestRolledBackWhileRunning(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.dataset("patients", "zero")
	p.mustBeIntact(1)
	early := files(t, filepath.Join(p.logFolder(), "log"))
	p.fill()
	p.mustBeIntact(8)
	for name, content := range early {
		write(t, filepath.Join(p.logFolder(), "log", name), content)
	}
	p.dataset("patients", "again")
	report := p.verify()
	if report.Intact {
		t.Errorf("intact: %+v", report)
	}
	p.dataset("patients", "and again")
	if report := p.verify(); report.Intact || p.log.Err() == nil {
		t.Errorf("intact, or still growing: %+v", report)
	}
}

func TestLogFilesGone(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.fill()
	p.mustBeIntact(7)
	if err := os.Rename(filepath.Join(p.logFolder(), "log"), filepath.Join(p.logFolder(), "elsewhere")); err != nil {
		t.Fatal(err)
	}
	p.dataset("patients", "three")
	if report := p.verify(); report.Intact {
		t.Errorf("intact: %+v", report)
	}
}
