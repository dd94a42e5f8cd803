package evidence_test

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/meridian-fleet/meridian/internal/evidence/pack"
	"github.com/meridian-fleet/meridian/internal/fleet"
)

func (p *place) export() []byte {
	p.t.Helper()
	content, err := p.log.Export(context.Background(), p.body())
	if err != nil {
		p.t.Fatal(err)
	}
	return content
}

func TestExportVerifiesOffline(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.fill()
	content := p.export()
	want := p.body()
	logKey, witnessKey := p.log.Keys()
	p.mustBeIntact(8) // the report has its entry
	p.close()

	report, err := pack.Verify(content, pack.Options{LogKey: logKey, WitnessKey: witnessKey})
	if err != nil || !report.Intact || report.Size != 8 {
		t.Fatalf("%+v, %v", report, err)
	}
	if got := report.Details[pack.DetailTrust]; !strings.Contains(got, "as told by the verifier") {
		t.Errorf("trust: %q", got)
	}
	untold, err := pack.Verify(content, pack.Options{})
	if err != nil || !untold.Intact || !strings.Contains(untold.Details[pack.DetailTrust], "fingerprints") {
		t.Errorf("%+v, %v", untold, err)
	}
	if body, err := pack.Body(content); err != nil || !reflect.DeepEqual(body, want) {
		t.Errorf("%v: the body is\n%+v, not\n%+v", err, body, want)
	}
}

func TestExportRefusesWhatTheLogDoesNotKnow(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.fill()
	for name, spoil := range map[string]func(*fleet.EvidenceBody){
		"a changed document": func(body *fleet.EvidenceBody) {
			body.Subjects[0].Document = []byte(strings.Replace(string(body.Subjects[0].Document), "one", "uno", 1))
		},
		"another revision": func(body *fleet.EvidenceBody) { body.Subjects[0].Revision = 4 },
		"another action":   func(body *fleet.EvidenceBody) { body.Subjects[0].Action = "deleted" },
		"another actor":    func(body *fleet.EvidenceBody) { body.Subjects[0].Actor = "mallory" },
		"a document left out": func(body *fleet.EvidenceBody) {
			body.Subjects[0].Document = nil
		},
	} {
		body := p.body()
		spoil(&body)
		if _, err := p.log.Export(context.Background(), body); !errors.Is(err, fleet.ErrNeedsHuman) {
			t.Errorf("%s: %v", name, err)
		}
	}
	p.mustBeIntact(7) // and notes no report that was never made
}

// TestExportRefusesAnEditedInventory makes reports of what is left of it.
func TestExportRefusesAnEditedInventory(t *testing.T) {
	t.Parallel()
	for name, edit := range map[string]string{
		"another actor":            `UPDATE changes SET actor = 'mallory' WHERE revision = 2`,
		"a removed row":            `DELETE FROM changes WHERE revision = 5`,
		"a row of another kind":    `UPDATE changes SET kind = 'Node' WHERE revision = 5`,
		"a changed document":       `UPDATE changes SET document = replace(document, '"one"', '"uno"') WHERE revision = 3`,
		"a current one that moved": `UPDATE resources SET document = replace(document, '"two', '"duo') WHERE name = 'patients'`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t)
			p.fill()
			p.mustBeIntact(7)
			p.edit(edit)
			if _, err := p.log.Export(context.Background(), p.body()); !errors.Is(err, fleet.ErrNeedsHuman) || !strings.Contains(err.Error(), "revision") {
				t.Errorf("%v", err)
			}
			if report := p.verify(); report.Size != 7 {
				t.Errorf("%d entries: a report that was never made is noted", report.Size)
			}
		})
	}
}

// TestLaterPacksContinueEarlierOnes checks packs against each other, also over
// a restart, and finds a log that was begun anew.
func TestLaterPacksContinueEarlierOnes(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.dataset("patients", "one")
	var packs [][]byte
	for _, title := range []string{"two", "three", "four"} {
		packs = append(packs, p.export())
		p.dataset("patients", title)
		p.close()
		p.open()
	}
	packs = append(packs, p.export())
	last := packs[len(packs)-1]
	for i, former := range packs {
		earlier, err := pack.Checkpoint(former)
		if err != nil {
			t.Fatal(err)
		}
		report, err := pack.Verify(last, pack.Options{Earlier: earlier})
		if err != nil || !report.Intact {
			t.Errorf("pack %d: %+v, %v", i, report, err)
		}
	}
	newest, err := pack.Checkpoint(last)
	if err != nil {
		t.Fatal(err)
	}
	if report, _ := pack.Verify(packs[0], pack.Options{Earlier: newest}); report.Intact {
		t.Error("an older pack passes for the continuation of a newer one")
	}
	other := newPlace(t)
	other.dataset("patients", "one")
	foreign, err := pack.Checkpoint(other.export())
	if err != nil {
		t.Fatal(err)
	}
	if report, _ := pack.Verify(last, pack.Options{Earlier: foreign}); report.Intact || !has(report, "older checkpoint") {
		t.Errorf("another log's checkpoint passes: %+v", report)
	}
	logKey, witnessKey := other.log.Keys()
	for _, options := range []pack.Options{{LogKey: logKey}, {WitnessKey: witnessKey}} {
		if report, _ := pack.Verify(last, options); report.Intact || !has(report, "key") {
			t.Errorf("another log's key passes: %+v", report)
		}
	}
	if _, err := pack.Verify(last, pack.Options{LogKey: witnessKey}); !errors.Is(err, fleet.ErrInvalid) {
		t.Errorf("a key of the wrong kind: %v", err)
	}
}
