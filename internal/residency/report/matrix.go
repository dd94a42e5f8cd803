package report

import (
	"slices"
	"strings"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// matrix is one subject: a row for each facet, a column for each region.
type matrix struct {
	Subject string
	Regions []column
	Rows    []matrixRow
}

type column struct{ Region, Where string }

type matrixRow struct {
	Facet string
	Cells []cell
}

type cell struct {
	State, Mark, Word string
	Here              bool
	Why               string
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
	t.cells[key] = cell{State: state, Mark: marks[state], Word: words[state], Here: here, Why: whyText(verdict)}
}

var words = map[string]string{"allowed": "yes", "exception": "by exception", "denied": "no", "": "not asked"}

// whyText names the rules that deny or are suspended.
func whyText(verdict fleet.Verdict) string {
	var rules []string
	for _, finding := range verdict.Findings {
		if finding.Effect != fleet.EffectAllows && !slices.Contains(rules, finding.ID()) {
			rules = append(rules, finding.ID())
		}
	}
	return strings.Join(rules, ", ")
}

func (t *table) matrix(subject string, known gazetteer) matrix {
	one := matrix{Subject: subject}
	for _, region := range sortedKeys(t.regions[subject]) {
		one.Regions = append(one.Regions, column{region, strings.TrimPrefix(known.text(region), region+" ")})
	}
	for _, facet := range append([]fleet.Facet{""}, fleet.Facets...) {
		if !t.facets[subject][facet] {
			continue
		}
		row := matrixRow{Facet: facetText(facet)}
		for _, column := range one.Regions {
			found, ok := t.cells[cellKey{subject, facet, column.Region}]
			if !ok {
				found = cell{Mark: marks[""], Word: words[""]}
			}
			row.Cells = append(row.Cells, found)
		}
		one.Rows = append(one.Rows, row)
	}
	return one
}
