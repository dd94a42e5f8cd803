package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/meridian-fleet/meridian/internal/evidence/pack"
	"github.com/meridian-fleet/meridian/internal/fleet"
)

// renderOSCAL writes assessment results: an observation for each verdict of
// the audit, a finding for each rule that decided any, a risk for each rule
// that is not kept everywhere.
func renderOSCAL(content []byte, body fleet.EvidenceBody) ([]byte, error) {
	a := &assessment{body: body, names: newOSCALNames(content), rules: map[string]*ruleOutcome{}}
	a.observe()
	at := oscalTime(body.MadeAt)
	document := oscalDocument{oscalAssessment{
		UUID: a.names.of("assessment-results"),
		Metadata: oscalMetadata{
			Title: markup(or(body.Title, untitled)), LastModified: at, Version: fmt.Sprintf("revision-%d", body.Audit.Revision), OSCALVersion: oscalVersion,
			Props: props("made-by", body.MadeBy, "meridian-version", body.Version, "pack-sha256", pack.SHA256(content)), Remarks: markup(body.Disclaimer),
		},
		Plan: oscalImport{
			Href:    "#" + a.names.of("plan"),
			Remarks: "The plan is the set of residency policies in force, each of which is quoted in full in the evidence pack.",
		},
		Results:    []oscalResult{a.result(at)},
		BackMatter: oscalBackMatter{a.resources(content)},
	}}
	return encode(document, " ")
}

// assessment is one document in the making.
type assessment struct {
	body         fleet.EvidenceBody
	names        oscalNames
	items        []oscalItem
	observations []oscalObservation
	rules        map[string]*ruleOutcome
}

// ruleOutcome is what one rule did over all places.
type ruleOutcome struct {
	title     string
	allows    []string // observations
	denies    []string
	suspended []string
	reasons   []string
	excepted  []string // exceptions that suspended it
}

func (a *assessment) observe() {
	for i, place := range a.body.Audit.Places {
		item := a.names.of("place", i)
		a.items = append(a.items, oscalItem{UUID: item, Description: markup(placeText(place.Located)), Props: props(
			"subject", subjectText(place.Located), "region", place.Region, "country", place.Country, "city", place.City, "pair", place.Pair,
			"store", place.Store, "known-by", string(place.Source), "from", place.From, "until", place.Until, "recorded-at", timeText(place.RecordedAt),
		)})
		for j, verdict := range place.Verdicts {
			a.observeVerdict(place, verdict, item, a.names.of("observation", i, " ", j))
		}
	}
}

func (a *assessment) observeVerdict(place fleet.Audited, verdict fleet.Verdict, item, id string) {
	var remarks []string
	for _, finding := range verdict.Findings {
		remarks = append(remarks, fmt.Sprintf("%s (version %s) %s: %s", finding.ID(), finding.Version, finding.Effect, finding.Reason))
		a.count(finding, id)
	}
	a.observations = append(a.observations, oscalObservation{
		UUID: id, Title: markup(fmt.Sprintf("%s: %s", placeText(place.Located), facetText(verdict.Facet))),
		Description: markup(verdictText(verdict)),
		Props:       props("verdict", verdictWord(verdict), "facet", string(verdict.Facet), "region", verdict.Region, "valid-at", timeText(verdict.At)),
		Methods:     []string{"TEST"}, Types: []string{"finding"},
		Subjects:  []oscalSubject{{UUID: item, Type: "inventory-item"}},
		Evidence:  []oscalEvidence{{Href: "#" + a.names.of("pack"), Description: "The verdict with every fact it looked at, the documents it rests on, and the proofs of the log."}},
		Collected: oscalTime(a.body.Audit.At), Remarks: markup(strings.Join(remarks, "\n\n")),
	})
}

// count notes what a rule did.
func (a *assessment) count(finding fleet.Finding, observation string) {
	outcome := a.rules[finding.ID()]
	if outcome == nil {
		outcome = &ruleOutcome{title: finding.ID()}
		a.rules[finding.ID()] = outcome
	}
	switch finding.Effect {
	case fleet.EffectDenies:
		outcome.denies = append(outcome.denies, observation)
	case fleet.EffectSuspended:
		outcome.suspended = append(outcome.suspended, observation)
		if finding.Exception != "" && !slices.Contains(outcome.excepted, finding.Exception) {
			outcome.excepted = append(outcome.excepted, finding.Exception)
		}
	default:
		outcome.allows = append(outcome.allows, observation)
	}
	if finding.Effect != fleet.EffectAllows && finding.Reason != "" && !slices.Contains(outcome.reasons, finding.Reason) {
		outcome.reasons = append(outcome.reasons, finding.Reason)
	}
}

func (a *assessment) result(at string) oscalResult {
	result := oscalResult{
		UUID: a.names.of("result"), Title: "Residency of data and workloads", Description: markup(summaryText(a.body)),
		Start: oscalTime(a.body.Audit.At), End: at,
		Props: props("as-of", timeText(a.body.Moment.AsOf), "known-at", timeText(a.body.Moment.KnownAt), "inventory-revision", fmt.Sprint(a.body.Audit.Revision)),
	}
	if len(a.items) > 0 {
		result.Local = &oscalLocal{a.items}
	}
	result.Observations = a.observations
	selection := oscalSelection{Description: "Every rule that decided about a place. A control is POLICY.RULE."}
	for _, rule := range sortedKeys(a.rules) {
		selection.Controls = append(selection.Controls, oscalControl{token(rule)})
		finding, risk := a.finding(rule, a.rules[rule])
		result.Findings = append(result.Findings, finding)
		if risk != nil {
			result.Risks = append(result.Risks, *risk)
		}
	}
	if len(selection.Controls) == 0 {
		selection = oscalSelection{Description: "No place is recorded: there was nothing to decide about.", All: &struct{}{}}
	}
	result.Reviewed.Selections = []oscalSelection{selection}
	return result
}

// finding of one rule: satisfied where nothing breaks it. A broken rule is a
// risk, an approved deviation where exceptions cover all of it.
func (a *assessment) finding(rule string, outcome *ruleOutcome) (oscalFinding, *oscalRisk) {
	finding := oscalFinding{
		UUID: a.names.of("finding", rule), Title: markup(rule), Props: props("policy-rule", rule),
		Target: oscalTarget{Type: "objective-id", ID: token(rule), Title: markup(outcome.title), Status: oscalStatus{State: "satisfied", Reason: "pass"}},
		Description: fmt.Sprintf("Kept at %d, broken at %d, broken with an approved exception at %d of the places and facets it decided about.",
			len(outcome.allows), len(outcome.denies), len(outcome.suspended)),
	}
	broken := slices.Concat(outcome.denies, outcome.suspended)
	finding.Related = observed(broken, outcome.allows)
	if len(broken) == 0 {
		return finding, nil
	}
	finding.Target.Status = oscalStatus{State: "not-satisfied", Reason: "fail"}
	risk := &oscalRisk{
		UUID: a.names.of("risk", rule), Title: markup(rule + " is not kept"), Description: finding.Description,
		Statement: markup(strings.Join(outcome.reasons, "\n\n")), Status: "open",
	}
	if risk.Statement == "" {
		risk.Statement = "See the observations."
	}
	if len(outcome.denies) == 0 {
		finding.Target.Status.Reason = "other"
		finding.Target.Status.Remarks = markup("Approved exceptions suspend it: " + strings.Join(outcome.excepted, ", "))
		risk.Status = "deviation-approved"
	}
	risk.Related = observed(broken)
	finding.Risks = []oscalRiskRef{{risk.UUID}}
	return finding, risk
}

// observed refers to observations, each once.
func observed(lists ...[]string) []oscalObservedRef {
	var refs []oscalObservedRef
	seen := map[string]bool{}
	for _, observation := range slices.Concat(lists...) {
		if !seen[observation] {
			seen[observation] = true
			refs = append(refs, oscalObservedRef{observation})
		}
	}
	return refs
}

func (a *assessment) resources(content []byte) []oscalResource {
	var policies []string
	for _, recorded := range a.body.Policies {
		policies = append(policies, fmt.Sprintf("%s, revision %d", recorded.Ref, recorded.Revision))
	}
	plan := "No policy is in force."
	if len(policies) > 0 {
		plan = "Recorded in the inventory, noted in the log, quoted in full in the evidence pack: " + strings.Join(policies, "; ") + "."
	}
	return []oscalResource{
		{UUID: a.names.of("plan"), Title: "Residency policies in force", Description: markup(plan), Props: props("type", "assessment-plan")},
		{
			UUID: a.names.of("pack"), Title: "Evidence pack", Base64: embedded(content),
			Description: "Verdicts, documents, exceptions and decisions with proofs of the tamper-evident log. Verify this file, and the pack in it, with: fleetctl evidence verify FILE",
		},
	}
}
