package report

import (
	"bytes"
	"encoding/csv"
	"strconv"
	"strings"
	"time"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// csvColumns are the columns, one row for each place, facet and deciding rule.
var csvColumns = []string{
	"subject kind", "subject", "classes", "place", "region", "country", "city", "geo-redundant", "pair", "store",
	"facet", "verdict", "policy", "version", "rule", "rule kind", "effect", "looked at", "reason", "cites", "facts", "exception",
	"obligations", "alternatives", "known by", "from", "until", "recorded at", "recorded by",
}

// renderCSV writes RFC 4180: a header, CRLF, and quotes where they are needed.
func renderCSV(body fleet.EvidenceBody) ([]byte, error) {
	var buffer bytes.Buffer
	writer := csv.NewWriter(&buffer)
	writer.UseCRLF = true
	rows := [][]string{csvColumns}
	for _, place := range body.Audit.Places {
		for _, verdict := range place.Verdicts {
			rows = append(rows, csvRows(place, verdict)...)
		}
	}
	for _, row := range rows {
		for i := range row {
			row[i] = harmless(row[i])
		}
		if err := writer.Write(row); err != nil {
			return nil, fleet.Errorf(fleet.ErrInternal, "write CSV: %w", err)
		}
	}
	writer.Flush()
	return buffer.Bytes(), nil
}

// csvRows are the rows of one verdict: one for each finding, or one for none.
func csvRows(place fleet.Audited, verdict fleet.Verdict) [][]string {
	findings := verdict.Findings
	if len(findings) == 0 {
		findings = []fleet.Finding{{}}
	}
	answer := "denied"
	if verdict.Allowed {
		answer = "allowed"
	}
	var rows [][]string
	for _, finding := range findings {
		rows = append(rows, []string{
			string(place.Subject.Kind), place.Subject.Name, strings.Join(place.Classes, " "), place.Binding + place.Placement,
			place.Region, place.Country, place.City, strconv.FormatBool(place.GeoRedundant), place.Pair, place.Store,
			string(verdict.Facet), answer, finding.Policy, finding.Version, finding.Rule, string(finding.Kind), string(finding.Effect), finding.Region,
			finding.Reason, finding.Cites, factTexts(finding.Facts), finding.Exception,
			obligationTexts(verdict.Obligations), alternativeTexts(verdict.Alternatives),
			string(place.Source), place.From, place.Until, timeText(place.RecordedAt), place.RecordedBy,
		})
	}
	return rows
}

func factTexts(facts []fleet.UsedFact) string {
	var texts []string
	for _, fact := range facts {
		texts = append(texts, factText(fact))
	}
	return strings.Join(texts, "; ")
}

func factText(fact fleet.UsedFact) string {
	value := fact.Value
	if value == "" {
		value = "unknown"
	}
	text := fact.Name + " = " + value
	var origin []string
	for _, part := range []string{string(fact.Source), fact.Reference} {
		if part != "" {
			origin = append(origin, part)
		}
	}
	if len(origin) > 0 {
		text += " (" + strings.Join(origin, ", ") + ")"
	}
	return text
}

func obligationTexts(obligations []fleet.DueObligation) string {
	var texts []string
	for _, obligation := range obligations {
		texts = append(texts, obligationText(obligation))
	}
	return strings.Join(texts, "; ")
}

func obligationText(obligation fleet.DueObligation) string {
	text := obligation.Text
	if obligation.To != "" {
		text += " (to " + obligation.To + ")"
	}
	if obligation.Within != "" {
		text += " within " + obligation.Within
	}
	if obligation.Due != nil {
		text += ", due " + timeText(*obligation.Due)
	}
	if obligation.Unsure {
		text += ", if it applies: a fact it depends on is not known"
	}
	return text
}

func alternativeTexts(alternatives []fleet.Alternative) string {
	var texts []string
	for _, alternative := range alternatives {
		texts = append(texts, alternative.Text)
	}
	return strings.Join(texts, "; ")
}

// harmless keeps spreadsheets from taking text for a formula.
func harmless(field string) string {
	if field != "" && strings.ContainsRune("=+-@\t\r\n|", rune(field[0])) {
		return "'" + field
	}
	return field
}

func timeText(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.UTC().Format(time.RFC3339)
}
