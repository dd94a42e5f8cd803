package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/meridian-fleet/meridian/internal/evidence/pack"
	"github.com/meridian-fleet/meridian/internal/fleet"
)

// view is what the page shows, in words.
type view struct {
	Title, MadeAt, MadeBy, Version string
	AsOf, KnownAt                  string
	Revision                       int64
	State                          string // clean, exception, violation or empty
	Summary                        string
	Figures                        []figure
	Map                            mapView
	Matrices                       []matrix
	Violations                     []violation
	MoreViolations                 int // that the list on the first page leaves out
	Excepted                       []exceptedView
	Exceptions                     []exceptionView
	Places                         []placeView
	Facts                          []factView
	Obligations                    []obligationView
	Decisions                      []decisionView
	Warnings                       []string // that bear on data in the report
	Remarks                        []string // the others
	Policies                       []policyView
	Groups                         []groupView
	Documents                      []documentView
	Log                            logView
	Disclaimer                     string
}

type logView struct {
	LogKey, LogFingerprint, WitnessKey, WitnessFingerprint, Checkpoint string
	Entries                                                            int
}

// untitled is the title of a report that nobody gave one.
const untitled = "Where data is, and whether it may be there"

func newView(content []byte, body fleet.EvidenceBody) (*view, error) {
	parsed, err := pack.Parse(content)
	if err != nil {
		return nil, err
	}
	v := &view{
		Title: or(body.Title, untitled), MadeAt: when(body.MadeAt), MadeBy: body.MadeBy, Version: body.Version,
		AsOf: momentText(body.Moment.AsOf, body.MadeAt), KnownAt: momentText(body.Moment.KnownAt, body.MadeAt),
		Revision: body.Audit.Revision, State: stateOf(body), Summary: summaryText(body), Disclaimer: body.Disclaimer,
		Log: logView{
			LogKey: parsed.Log.LogKey, LogFingerprint: pack.Fingerprint(parsed.Log.LogKey),
			WitnessKey: parsed.Log.WitnessKey, WitnessFingerprint: pack.Fingerprint(parsed.Log.WitnessKey),
			Checkpoint: parsed.Log.Checkpoint, Entries: len(parsed.Log.Entries),
		},
	}
	known := newGazetteer(body)
	rules := newRuleTexts(body)
	v.Map = newMap(body, known)
	v.Matrices = newMatrices(body, known)
	v.Violations = newViolations(body, known, rules)
	v.MoreViolations = max(0, len(v.Violations)-shownViolations)
	v.Figures, v.Excepted = newFigures(body), newExcepted(body)
	v.Places, v.Obligations = newPlaces(body, known), newObligations(body)
	v.Exceptions, v.Decisions = newExceptions(body), newDecisions(body)
	v.Facts = newFacts(body)
	v.Policies, v.Groups = newPolicies(body), newGroups(body)
	v.Documents = newDocuments(body)
	v.warn(body)
	return v, nil
}

func stateOf(body fleet.EvidenceBody) string {
	switch {
	case len(body.Audit.Places) == 0:
		return "empty"
	case body.Audit.Violations > 0:
		return "violation"
	case body.Audit.Suspended > 0:
		return "exception"
	}
	return "clean"
}

// gazetteer tells where regions are.
type gazetteer map[string]fleet.RegionFacts

func newGazetteer(body fleet.EvidenceBody) gazetteer {
	known := gazetteer{}
	for _, region := range body.Catalog {
		known[region.Name()] = region
	}
	for _, place := range body.Audit.Places {
		if _, ok := known[place.Region]; !ok {
			provider, id, _ := fleet.SplitRegion(place.Region)
			known[place.Region] = fleet.RegionFacts{Provider: provider, ID: id, City: place.City, Country: place.Country}
		}
	}
	return known
}

func (g gazetteer) text(region string) string {
	facts := g.facts(region)
	return whereText(region, facts.City, facts.Country)
}

// facts of a region; of a country its own.
func (g gazetteer) facts(region string) fleet.RegionFacts {
	if facts, ok := g[region]; ok {
		return facts
	}
	if country, ok := strings.CutPrefix(region, "country/"); ok {
		return fleet.RegionFacts{Provider: "country", ID: country, Country: country}
	}
	return fleet.RegionFacts{}
}

// specOf reads a recorded document's spec; not ok when it was deleted or
// cannot be read.
func specOf[T any](recorded fleet.Recorded) (T, bool) {
	var resource fleet.Resource
	var none T
	if recorded.Document == nil || json.Unmarshal(recorded.Document, &resource) != nil {
		return none, false
	}
	spec, err := fleet.SpecOf[T](resource)
	return spec, err == nil
}

func statusOf[T any](recorded fleet.Recorded) T {
	var resource fleet.Resource
	var none T
	if recorded.Document == nil || json.Unmarshal(recorded.Document, &resource) != nil {
		return none
	}
	status, err := fleet.StatusOf[T](resource)
	if err != nil {
		return none
	}
	return status
}

// documentView is a recorded document in full.
type documentView struct {
	Name, Action, At, By, Digest, Text string
	Revision                           int64
}

func newDocuments(body fleet.EvidenceBody) []documentView {
	var all []documentView
	for _, recorded := range slices.Concat(body.Policies, body.Subjects, body.Exceptions, body.Decisions) {
		one := documentView{Name: recorded.Ref.String(), Action: recorded.Action, At: when(recorded.At), By: recorded.Actor, Revision: recorded.Revision}
		if recorded.Document != nil {
			one.Digest, one.Text = pack.SHA256(recorded.Document), indented(recorded.Document)
		}
		all = append(all, one)
	}
	return all
}

func indented(document []byte) string {
	var buffer bytes.Buffer
	if json.Indent(&buffer, document, "", "  ") != nil {
		return string(document)
	}
	return buffer.String()
}

// sourceText says how it is known that something is at a place.
func sourceText(located fleet.Located) string {
	text := map[fleet.FactSource]string{
		fleet.SourceDeclared: "declared in a document", fleet.SourceObserved: "found there", fleet.SourceAttested: "attested",
	}[located.Source]
	text = or(text, or(string(located.Source), "not known how"))
	if name := located.Binding + located.Placement; name != "" {
		text += fmt.Sprintf(" (%s)", name)
	}
	return text
}
