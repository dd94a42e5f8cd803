package pack_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/klog/v2"
	"pgregory.net/rapid"

	"github.com/meridian-fleet/meridian/internal/evidence"
	"github.com/meridian-fleet/meridian/internal/evidence/pack"
	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/inventory"
)

func TestMain(m *testing.M) {
	klog.SetSlogLogger(slog.New(slog.NewTextHandler(io.Discard, nil))) // Tessera's
	os.Exit(m.Run())
}

// sample is a pack from a real log, the third one it gave; made once. Its
// log's key has a hash that reads differently in upper case, as some forgeries
// need: one random key in forty has digits only.
var sample = sync.OnceValues(func() ([]byte, error) {
	for {
		content, err := makeSample()
		if err != nil {
			return nil, err
		}
		parsed, err := pack.Parse(content)
		if err != nil || upperHash(parsed.Log.LogKey) != parsed.Log.LogKey {
			return content, err
		}
	}
})

func makeSample() (content []byte, err error) {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "pack")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	store, err := inventory.OpenSQLite(ctx, filepath.Join(dir, "inventory.db"))
	if err != nil {
		return nil, err
	}
	defer store.Close()
	log, err := evidence.Open(ctx, evidence.Config{Dir: filepath.Join(dir, "evidence"), Store: store})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	body := fleet.EvidenceBody{Title: "Ünïcode <&> \u2028", MadeAt: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), Disclaimer: "None."}
	for _, title := range []string{"one", "two", "three"} {
		dataset, err := fleet.NewResource(fleet.KindDataset, "patients", fleet.DatasetSpec{Title: title + " <b>&", Classes: []string{"personal"}}, nil)
		if err != nil {
			return nil, err
		}
		if _, err := store.Apply(ctx, "ann", []fleet.Resource{dataset}, inventory.ApplyOptions{}); err != nil {
			return nil, err
		}
		changes, err := store.Changes(ctx, inventory.ChangeQuery{})
		if err != nil {
			return nil, err
		}
		last := changes[len(changes)-1]
		body.Subjects = append(body.Subjects, fleet.Recorded{Revision: last.Revision, At: last.At, Actor: last.Actor, Action: last.Action, Ref: last.Ref, Document: last.Document})
		if content, err = log.Export(ctx, body); err != nil {
			return nil, err
		}
	}
	return content, nil
}

func theSample(t interface {
	Helper()
	Fatal(args ...any)
}) []byte {
	t.Helper()
	content, err := sample()
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Clone(content)
}

func verify(t interface{ Fatal(args ...any) }, content []byte) fleet.EvidenceReport {
	report, err := pack.Verify(content, pack.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func TestIntact(t *testing.T) {
	t.Parallel()
	content := theSample(t)
	report := verify(t, content)
	if !report.Intact || len(report.Checked) != 7 || report.Size != 6 || len(report.SignedBy) != 2 {
		t.Errorf("%+v", report)
	}
	parsed, err := pack.Parse(content)
	if err != nil {
		t.Fatal(err)
	}
	again, err := parsed.Marshal()
	if err != nil || !bytes.Equal(content, again) {
		t.Errorf("not canonical: %s, %v", pack.FirstDifference(again, content), err)
	}
	if len(parsed.Log.Earlier) < 2 || len(parsed.Log.Entries) != 3 {
		t.Errorf("%d earlier checkpoints, %d entries", len(parsed.Log.Earlier), len(parsed.Log.Entries))
	}
}

// TestBytes changes every third byte of a pack, one at a time, each in another
// bit; TestAnyChange looks at the others.
func TestBytes(t *testing.T) {
	t.Parallel()
	content := theSample(t)
	for at := 0; at < len(content); at += 3 {
		before := content[at]
		content[at] ^= 1 << (at % 8)
		report := verify(t, content)
		if report.Intact || len(report.Faults) == 0 || report.Faults[0].Where == "" || report.Faults[0].Message == "" {
			t.Fatalf("byte %d, %q to %q: %+v", at, before, content[at], report)
		}
		content[at] = before
	}
}

// TestAnyChange changes, removes, repeats or inserts anywhere.
func TestAnyChange(t *testing.T) {
	t.Parallel()
	original := theSample(t)
	rapid.Check(t, func(t *rapid.T) {
		at := rapid.IntRange(0, len(original)-1).Draw(t, "at")
		until := min(len(original), at+rapid.IntRange(1, 40).Draw(t, "length"))
		insert := rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(t, "insert")
		changed := slices.Concat(original[:at], insert, original[until:])
		if bytes.Equal(changed, original) {
			t.Skip()
		}
		if report := verify(t, changed); report.Intact || report.Faults[0].Where == "" {
			t.Fatalf("%+v", report)
		}
	})
}

// TestForged changes the pack as somebody would who knows its form, and mends
// what can be mended without the log's key.
func TestForged(t *testing.T) {
	t.Parallel()
	seal := func(p *pack.Pack) {
		p.Manifest.Sections = nil
		for _, section := range p.Sections {
			p.Manifest.Sections = append(p.Manifest.Sections, pack.Digest{Section: section.Name, SHA256: pack.SHA256(section.Content), Bytes: len(section.Content)})
		}
	}
	section := func(p *pack.Pack, name string) *pack.Section {
		return &p.Sections[slices.IndexFunc(p.Sections, func(s pack.Section) bool { return s.Name == name })]
	}
	for name, test := range map[string]struct {
		forge func(p *pack.Pack)
		where string
	}{
		"changed section": {func(p *pack.Pack) { section(p, "disclaimer").Content = []byte(`"Some."`) }, "section disclaimer"},
		"changed section and manifest": {func(p *pack.Pack) {
			section(p, "disclaimer").Content = []byte(`"Some."`)
			seal(p)
		}, "manifest"},
		"changed document, section and manifest": {func(p *pack.Pack) {
			content := section(p, "subjects")
			content.Content = bytes.Replace(content.Content, []byte("two"), []byte("zwo"), 1)
			seal(p)
		}, "section subjects, revision 2 (Dataset patients)"},
		"changed actor": {func(p *pack.Pack) {
			content := section(p, "subjects")
			content.Content = bytes.Replace(content.Content, []byte(`"ann"`), []byte(`"bob"`), 1)
		}, "section subjects"},
		"removed section":  {func(p *pack.Pack) { p.Sections = p.Sections[1:] }, "section"},
		"swapped sections": {func(p *pack.Pack) { p.Sections[0], p.Sections[1] = p.Sections[1], p.Sections[0] }, "section"},
		"changed entry": {func(p *pack.Pack) {
			p.Log.Entries[1].Entry = strings.Replace(p.Log.Entries[1].Entry, "updated", "deleted", 1)
		}, "entry 2"},
		"broken entry":      {func(p *pack.Pack) { p.Log.Entries[1].Entry += " " }, "entry 2"},
		"entry's number":    {func(p *pack.Pack) { p.Log.Entries[1].Index++ }, "entry 3"},
		"number beyond":     {func(p *pack.Pack) { p.Log.Entries[1].Index = 1 << 63 }, "entry 9223372036854775808"},
		"changed proof":     {func(p *pack.Pack) { p.Log.Entries[1].Proof[0][3] ^= 1 }, "entry 2"},
		"missing proof":     {func(p *pack.Pack) { p.Log.Entries[1].Proof = nil }, "entry 2"},
		"missing entry":     {func(p *pack.Pack) { p.Log.Entries = p.Log.Entries[:2] }, "section subjects, revision 3"},
		"repeated entry":    {func(p *pack.Pack) { p.Log.Entries[1] = p.Log.Entries[0] }, "entry 0"},
		"swapped entries":   {func(p *pack.Pack) { p.Log.Entries[1], p.Log.Entries[0] = p.Log.Entries[0], p.Log.Entries[1] }, "entry 0"},
		"a report's entry":  {func(p *pack.Pack) { p.Log.Entries[1] = p.Log.Report }, "entry 5"},
		"another report":    {func(p *pack.Pack) { p.Log.Report = p.Log.Entries[0] }, "entry 0"},
		"log key":           {func(p *pack.Pack) { p.Log.LogKey = p.Log.WitnessKey }, "keys"},
		"witness key":       {func(p *pack.Pack) { p.Log.WitnessKey = p.Log.LogKey }, "keys"},
		"key in upper case": {func(p *pack.Pack) { p.Log.LogKey = upperHash(p.Log.LogKey) }, "keys"},
		"older checkpoint":  {func(p *pack.Pack) { p.Log.Checkpoint = p.Log.Earlier[0].Checkpoint }, "entry"},
		"no cosignature":    {func(p *pack.Pack) { p.Log.Checkpoint = withoutLastLine(p.Log.Checkpoint) }, "checkpoint"},
		"further signature": {func(p *pack.Pack) { p.Log.Checkpoint += "— other AAAAAAAA\n" }, "checkpoint"},
		"no checkpoint":     {func(p *pack.Pack) { p.Log.Checkpoint = "" }, "checkpoint"},
		"earlier changed":   {func(p *pack.Pack) { p.Log.Earlier[0].Checkpoint = p.Log.Earlier[1].Checkpoint }, "earlier checkpoint"},
		"earlier proof":     {func(p *pack.Pack) { p.Log.Earlier[0].Proof = p.Log.Earlier[1].Proof }, "earlier checkpoint 1"},
		"another format":    {func(p *pack.Pack) { p.Format = "v2" }, "format"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			parsed, err := pack.Parse(theSample(t))
			if err != nil {
				t.Fatal(err)
			}
			test.forge(&parsed)
			content, err := parsed.Marshal()
			if err != nil {
				t.Fatal(err)
			}
			report := verify(t, content)
			if report.Intact || !slices.ContainsFunc(report.Faults, func(fault fleet.EvidenceFault) bool { return strings.HasPrefix(fault.Where, test.where) }) {
				t.Errorf("want a fault at %s, got %+v", test.where, report.Faults)
			}
		})
	}
}

func upperHash(key string) string {
	parts := strings.SplitN(key, "+", 3)
	return parts[0] + "+" + strings.ToUpper(parts[1]) + "+" + parts[2]
}

func withoutLastLine(text string) string {
	return text[:strings.LastIndex(strings.TrimSuffix(text, "\n"), "\n")+1]
}

func TestEntries(t *testing.T) {
	t.Parallel()
	good := pack.Entry{Format: 1, Type: pack.EntryChange, RecordedAt: time.Date(2026, 3, 1, 0, 0, 0, 1000, time.UTC), Revision: 7, Kind: fleet.KindDataset, Name: "a <b>", Action: "created", Document: pack.SHA256(nil), Actor: pack.SHA256(nil)}
	raw, err := good.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	if parsed, err := pack.ParseEntry(raw); err != nil || parsed != good {
		t.Errorf("%+v, %v", parsed, err)
	}
	for name, bad := range map[string]string{
		"empty": "", "not JSON": "{", "spaces": " " + string(raw), "another format": strings.Replace(string(raw), `"format":1`, `"format":2`, 1),
		"unknown member": strings.Replace(string(raw), `"type"`, `"more":1,"type"`, 1), "another type": strings.Replace(string(raw), "change", "chance", 1),
		"no revision": strings.Replace(string(raw), `"revision":7,`, "", 1), "a report's": strings.Replace(string(raw), `"change"`, `"report"`, 1),
		"repeated member": strings.Replace(string(raw), `"revision":7`, `"revision":6,"revision":7`, 1),
	} {
		if _, err := pack.ParseEntry([]byte(bad)); !errors.Is(err, fleet.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzVerify(f *testing.F) {
	content := theSample(f)
	f.Add(content)
	f.Add([]byte(`{"format":"meridian.dev/evidence/v1"}`))
	f.Add([]byte(`[]`))
	f.Fuzz(func(t *testing.T, changed []byte) {
		report := verify(t, changed)
		if report.Intact != bytes.Equal(changed, content) && !report.Intact {
			t.Errorf("%+v", report)
		}
		if !report.Intact && len(report.Faults) == 0 {
			t.Error("not intact, and nobody knows why")
		}
	})
}
