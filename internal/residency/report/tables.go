package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/residency"
)

// placeView is one place in the table of where everything is.
type placeView struct {
	Subject, Where, Pair, Store, Facets, Since, Until, Source, Recorded string
	State, Mark                                                         string
	Exceptions                                                          []string
}

func newPlaces(body fleet.EvidenceBody, known gazetteer) []placeView {
	var all []placeView
	for _, place := range body.Audit.Places {
		view := placeView{
			Subject: subjectText(place.Located), Where: known.text(place.Region), Store: place.Store, Facets: facetNames(place.Facets),
			Since: or(place.From, "not known"), Until: place.Until, Source: sourceText(place.Located), Recorded: recordedText(place.Located),
			State: placeState(place),
		}
		if place.GeoRedundant {
			view.Pair = known.text(or(place.Pair, "a pair nobody knows"))
		}
		view.Mark = marks[view.State]
		for _, verdict := range place.Verdicts {
			for _, exception := range verdict.Exceptions {
				text := fmt.Sprintf("%s, until %s", exception.Name, exception.Until)
				if !slices.Contains(view.Exceptions, text) {
					view.Exceptions = append(view.Exceptions, text)
				}
			}
		}
		all = append(all, view)
	}
	return all
}

func recordedText(located fleet.Located) string {
	text := when(located.RecordedAt)
	if located.RecordedBy != "" {
		text += " by " + located.RecordedBy
	}
	return text
}

// placeState is the worst of a place's verdicts.
func placeState(place fleet.Audited) string {
	state := "allowed"
	for _, verdict := range place.Verdicts {
		state = worse(state, verdictWord(verdict))
	}
	return state
}

func worse(a, b string) string {
	order := []string{"", "allowed", "exception", "denied"}
	if slices.Index(order, b) > slices.Index(order, a) {
		return b
	}
	return a
}

// marks go before words, so that neither colour nor shape is needed alone.
var marks = map[string]string{"allowed": "✓", "exception": "◐", "denied": "✗", "": "·"}

// exceptionView is one exception as it last was.
type exceptionView struct {
	Name, Rule, Subject, Facets, Scope, Reason, Reference, Period, Phase, Requested, Revoked string
	Approvals                                                                                []string
	Revision                                                                                 int64
}

// newExceptions shows each exception once, by its newest revision.
func newExceptions(body fleet.EvidenceBody) []exceptionView {
	newest := map[string]fleet.Recorded{}
	for _, recorded := range body.Exceptions {
		if recorded.Revision >= newest[recorded.Ref.Name].Revision {
			newest[recorded.Ref.Name] = recorded
		}
	}
	var all []exceptionView
	for _, name := range sortedKeys(newest) {
		all = append(all, newException(newest[name], momentOf(body)))
	}
	return all
}

func newException(recorded fleet.Recorded, at time.Time) exceptionView {
	view := exceptionView{Name: recorded.Ref.Name, Revision: recorded.Revision}
	spec, ok := specOf[fleet.ExceptionSpec](recorded)
	if !ok {
		view.Phase = "deleted"
		return view
	}
	status := statusOf[fleet.ExceptionStatus](recorded)
	view.Rule, view.Subject, view.Facets, view.Scope = spec.Policy+"/"+spec.Rule, refText(spec.Subject, nil), facetNames(spec.Facets), scopeText(&spec.Scope)
	view.Reason, view.Reference, view.Period, view.Phase = spec.Reason, spec.Reference, effectiveText(spec.Period), phaseText(spec, status, at)
	view.Requested = strings.TrimSpace(status.RequestedBy + ", " + status.RequestedAt)
	for _, approval := range status.Approvals {
		text := approval.By + ", " + approval.At
		if approval.Comment != "" {
			text += ": " + approval.Comment
		}
		view.Approvals = append(view.Approvals, text)
	}
	if status.RevokedBy != "" {
		view.Revoked = strings.TrimSuffix(status.RevokedBy+", "+status.RevokedAt+": "+status.Message, ": ")
	}
	return view
}

// momentOf is the instant a report is about.
func momentOf(body fleet.EvidenceBody) time.Time {
	if body.Moment.AsOf.IsZero() {
		return body.MadeAt
	}
	return body.Moment.AsOf
}

// phaseText says what an exception is at an instant.
func phaseText(spec fleet.ExceptionSpec, status fleet.ExceptionStatus, at time.Time) string {
	begins, beginsErr := residency.Begins(spec.Period, time.UTC)
	ends, endsErr := residency.Ends(spec.Period, time.UTC)
	switch {
	case beginsErr != nil || endsErr != nil:
		return "its period cannot be read"
	case status.RevokedAt != "":
		return "revoked"
	case !ends.IsZero() && !at.Before(ends):
		return "expired"
	case status.Phase != fleet.ExceptionApproved:
		return "not approved yet"
	case at.Before(begins):
		return "approved, not in force yet"
	}
	return "in force"
}

// decisionView is one recorded decision.
type decisionView struct {
	Name, At, Act, Actor, Operation, Region, Mark, Outcome string
	Rules                                                  []string
	Revision                                               int64
}

func newDecisions(body fleet.EvidenceBody) []decisionView {
	var all []decisionView
	for _, recorded := range body.Decisions {
		spec, ok := specOf[fleet.DecisionSpec](recorded)
		if !ok {
			continue
		}
		view := decisionView{
			Name: recorded.Ref.Name, Revision: recorded.Revision, At: when(spec.At), Act: strings.ReplaceAll(spec.Act.Kind, "-", " "), Actor: spec.Act.Actor,
			Operation: spec.Act.Operation, Region: spec.Act.Region, Mark: marks["denied"], Outcome: "refused",
		}
		if spec.Allowed {
			view.Mark, view.Outcome = marks["allowed"], "went ahead"
		}
		for _, verdict := range spec.Verdicts {
			for _, finding := range verdict.Findings {
				text := fmt.Sprintf("%s version %s %s", finding.ID(), finding.Version, finding.Effect)
				if !slices.Contains(view.Rules, text) {
					view.Rules = append(view.Rules, text)
				}
			}
		}
		all = append(all, view)
	}
	return all
}

// factView is one fact that answers rest on, and where it comes from.
type factView struct{ About, Name, Value, Source, Reference, Period string }

// newFacts lists the declared facts of datasets and regions.
func newFacts(body fleet.EvidenceBody) []factView {
	var all []factView
	add := func(about string, facts map[string]fleet.DataFact) {
		for _, name := range sortedKeys(facts) {
			fact := facts[name]
			all = append(all, factView{about, name, string(fact.Value), or(string(fact.Source), string(fleet.SourceDeclared)), fact.Reference, periodText(fact.From, fact.Until)})
		}
	}
	for _, recorded := range body.Subjects {
		if spec, ok := specOf[fleet.DatasetSpec](recorded); ok && recorded.Ref.Kind == fleet.KindDataset {
			about := fmt.Sprintf("dataset %s, revision %d", recorded.Ref.Name, recorded.Revision)
			add(about, spec.Facts)
			for _, instrument := range spec.Instruments {
				value := strings.ReplaceAll(string(instrument.Basis), "-", " ") + ", to " + scopeText(instrument.To)
				all = append(all, factView{about, "legal instrument " + instrument.Name, value, or(string(instrument.Source), string(fleet.SourceDeclared)), instrument.Reference, periodText(instrument.From, instrument.Until)})
			}
		}
	}
	for _, region := range body.Catalog {
		add("region "+region.Name(), region.Facts)
	}
	return all
}

// obligationView is something to be done, and where.
type obligationView struct {
	Text, Rule, Cites string
	Where             []string
	places            names
}

func newObligations(body fleet.EvidenceBody) []obligationView {
	index := map[string]int{}
	var all []obligationView
	for _, place := range body.Audit.Places {
		for _, verdict := range place.Verdicts {
			for _, obligation := range verdict.Obligations {
				text := obligationText(obligation)
				key := obligation.Policy + "/" + obligation.Rule + "\x00" + text
				at, found := index[key]
				if !found {
					at = len(all)
					index[key] = at
					all = append(all, obligationView{Text: text, Rule: fmt.Sprintf("%s/%s version %s", obligation.Policy, obligation.Rule, obligation.Version), Cites: obligation.Cites})
				}
				all[at].places.add(placeText(place.Located))
			}
		}
	}
	for i := range all {
		all[i].Where = all[i].places.shown()
	}
	return all
}
