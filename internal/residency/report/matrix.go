package report

import (
	"slices"
	"strings"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/residency/report/reasons"
)

// matrix is one subject: a row for each region, a column for each facet, since
// there are nine facets at most and any number of regions.
type matrix struct {
	Subject string
	Facets  []string
	Rows    []matrixRow
	Notes   []note
}

// note is what forbids something, named in the cells by its number.
type note struct {
	Number int
	Text   string
}

type matrixRow struct {
	Region string
	Cells  []cell
}

type cell struct {
	State, Mark, Word string
	Here              bool
	Why               []string // the rules that deny or are suspended
	Notes             []int
}

type cellKey struct {
	subject string
	facet   fleet.Facet
	region  string
}

// table collects the cells of all subjects.
type table struct {
	cells    map[cellKey]cell
	subjects []string
	facets   map[string]map[fleet.Facet]bool
	regions  map[string]map[string]bool
}

// newMatrices puts what might be, and what is, into one table a subject.
func newMatrices(body fleet.EvidenceBody, known gazetteer) []matrix {
	t := &table{cells: map[cellKey]cell{}, facets: map[string]map[fleet.Facet]bool{}, regions: map[string]map[string]bool{}}
	for _, possible := range body.Matrix {
		verdict := possible.Verdict
		t.add(cellKey{refText(verdict.Subject, verdict.Classes), verdict.Facet, or(possible.Region, verdict.Region)}, verdict, false)
	}
	for _, place := range body.Audit.Places {
		for _, verdict := range place.Verdicts {
			t.add(cellKey{subjectText(place.Located), verdict.Facet, place.Region}, verdict, true)
		}
	}
	var all []matrix
	for _, subject := range t.subjects {
		all = append(all, t.matrix(subject, known))
	}
	return all
}

// add a verdict. Where something is, its own verdict counts, the worst of them.
func (t *table) add(key cellKey, verdict fleet.Verdict, here bool) {
	if t.facets[key.subject] == nil {
		t.subjects = append(t.subjects, key.subject)
		t.facets[key.subject], t.regions[key.subject] = map[fleet.Facet]bool{}, map[string]bool{}
	}
	t.facets[key.subject][key.facet], t.regions[key.subject][key.region] = true, true
	state := verdictWord(verdict)
	if before, found := t.cells[key]; found && before.Here {
		state = worse(before.State, state)
	}
	t.cells[key] = cell{State: state, Mark: marks[state], Word: words[state], Here: here, Why: whyTexts(verdict)}
}

var words = map[string]string{"allowed": "yes", "exception": "by exception", "denied": "no", "": "not asked"}

// whyTexts name the rules that deny or are suspended.
func whyTexts(verdict fleet.Verdict) []string {
	var texts []string
	for _, effect := range []fleet.Effect{fleet.EffectDenies, fleet.EffectSuspended} {
		for _, group := range reasons.Grouped(reasons.Of(verdict, effect)) {
			text := group.Title()
			if effect == fleet.EffectSuspended {
				text += ", suspended by " + strings.Join(group.Reasons[0].Suspend, ", ")
			}
			if !slices.Contains(texts, text) {
				texts = append(texts, text)
			}
		}
	}
	return texts
}

func (t *table) matrix(subject string, known gazetteer) matrix {
	one := matrix{Subject: subject}
	var facets []fleet.Facet
	for _, facet := range append([]fleet.Facet{""}, fleet.Facets...) {
		if t.facets[subject][facet] {
			facets, one.Facets = append(facets, facet), append(one.Facets, facetText(facet))
		}
	}
	for _, region := range sortedKeys(t.regions[subject]) {
		row := matrixRow{Region: known.text(region)}
		for _, facet := range facets {
			found, ok := t.cells[cellKey{subject, facet, region}]
			if !ok {
				found = cell{Mark: marks[""], Word: words[""]}
			}
			for _, why := range found.Why {
				found.Notes = append(found.Notes, one.note(why))
			}
			row.Cells = append(row.Cells, found)
		}
		one.Rows = append(one.Rows, row)
	}
	return one
}

// note is the number of a text among the notes.
func (m *matrix) note(text string) int {
	for _, known := range m.Notes {
		if known.Text == text {
			return known.Number
		}
	}
	m.Notes = append(m.Notes, note{len(m.Notes) + 1, text})
	return len(m.Notes)
}
