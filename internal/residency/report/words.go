package report

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/residency"
)

func sortedKeys[V any](of map[string]V) []string { return slices.Sorted(maps.Keys(of)) }

// subjectText names what is at a place.
func subjectText(located fleet.Located) string {
	return refText(located.Subject, located.Classes)
}

func refText(ref fleet.Ref, classes []string) string {
	switch {
	case ref.Name != "":
		return strings.ToLower(string(ref.Kind)) + " " + ref.Name
	case len(classes) > 0:
		return "data of class " + strings.Join(classes, ", ")
	}
	return "unclassified data"
}

// placeText says what is where.
func placeText(located fleet.Located) string {
	text := subjectText(located) + " in " + located.Region
	if located.GeoRedundant {
		text += " and its pair " + or(located.Pair, "(not known)")
	}
	return text
}

// whereText adds city and country to a region's name.
func whereText(region, city, country string) string {
	var parts []string
	for _, part := range []string{city, countryText(country)} {
		if part != "" && !slices.Contains(parts, part) { // Singapore
			parts = append(parts, part)
		}
	}
	if len(parts) == 0 {
		return region
	}
	return region + " (" + strings.Join(parts, ", ") + ")"
}

// countries has every country's name.
var countries = sync.OnceValue(func() *residency.Catalog {
	catalog, err := residency.NewCatalog(nil)
	if err != nil {
		return nil
	}
	return catalog
})

// countryText is the name of an ISO 3166-1 country; the code itself when it
// has none.
func countryText(code string) string {
	if catalog := countries(); catalog != nil && code != "" {
		if facts, ok := catalog.Region("country/" + code); ok && facts.DisplayName != "" {
			return facts.DisplayName
		}
	}
	return code
}

func or(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

// facetTexts say what is done to data, for people.
var facetTexts = map[fleet.Facet]string{
	fleet.FacetStorage: "stored", fleet.FacetProcessing: "processed", fleet.FacetKey: "its keys held", fleet.FacetAccess: "looked at by people",
	fleet.FacetBackup: "backed up", fleet.FacetReplica: "replicated", fleet.FacetTelemetry: "in logs and metrics", fleet.FacetMetadata: "named in catalogs",
	fleet.FacetTransit: "passing through",
}

func facetText(facet fleet.Facet) string {
	if facet == "" {
		return "everything it does"
	}
	return or(facetTexts[facet], string(facet))
}

func facetNames(facets []fleet.Facet) string {
	var texts []string
	for _, facet := range facets {
		texts = append(texts, facetText(facet))
	}
	return strings.Join(texts, ", ")
}

// verdictWord is allowed, denied, or exception: allowed only by one.
func verdictWord(verdict fleet.Verdict) string {
	switch {
	case !verdict.Allowed:
		return "denied"
	case suspended(verdict):
		return "exception"
	}
	return "allowed"
}

func suspended(verdict fleet.Verdict) bool {
	return slices.ContainsFunc(verdict.Findings, func(finding fleet.Finding) bool { return finding.Effect == fleet.EffectSuspended })
}

func verdictText(verdict fleet.Verdict) string {
	what := fmt.Sprintf("%s, %s, in %s", refText(verdict.Subject, verdict.Classes), facetText(verdict.Facet), verdict.Region)
	switch verdictWord(verdict) {
	case "denied":
		return what + ": not allowed."
	case "exception":
		return what + ": allowed only because of an approved exception."
	}
	return what + ": allowed."
}

// summaryText is the answer in a few plain sentences.
func summaryText(body fleet.EvidenceBody) string {
	places := len(body.Audit.Places)
	if places == 0 {
		return "No place is recorded where classified data or a workload is, so there was nothing to judge."
	}
	looked := fmt.Sprintf("%s in %s, for %s.", count(places, "place was", "places were")+" checked", count(countOf(body, func(p fleet.Audited) string { return p.Region }), "region", "regions"),
		count(countOf(body, func(p fleet.Audited) string { return subjectText(p.Located) }), "dataset or workload", "datasets and workloads"))
	var verdict string
	switch body.Audit.Violations {
	case 0:
		verdict = "Nothing is out of line."
	case 1:
		verdict = "1 place is out of line."
	default:
		verdict = fmt.Sprintf("%d places are out of line.", body.Audit.Violations)
	}
	if body.Audit.Suspended > 0 {
		verdict += fmt.Sprintf(" %s lawful only because of an approved exception.", count(body.Audit.Suspended, "place is", "places are"))
	}
	return verdict + " " + looked
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

func countOf(body fleet.EvidenceBody, name func(fleet.Audited) string) int {
	seen := map[string]bool{}
	for _, place := range body.Audit.Places {
		seen[name(place)] = true
	}
	return len(seen)
}

// shownNames is how many names a cell lists; the tables of places have all.
const shownNames = 25

// names is a list of names, each once, in the order they came.
type names struct {
	all  []string
	seen map[string]bool
}

func (n *names) add(name string) {
	if n.seen == nil {
		n.seen = map[string]bool{}
	}
	if !n.seen[name] {
		n.seen[name] = true
		n.all = append(n.all, name)
	}
}

func (n *names) shown() []string {
	if len(n.all) <= shownNames {
		return n.all
	}
	return append(slices.Clone(n.all[:shownNames]), fmt.Sprintf("and %d more", len(n.all)-shownNames))
}
