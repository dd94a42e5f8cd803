package compliance

import (
	"context"
	"slices"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/inventory"
)

// Disclaimer stands in every report.
const Disclaimer = "This report states what the recorded rules say about the recorded facts. It is not legal advice: " +
	"whether the rules render the law rightly, and what they leave out, is for a lawyer to judge."

// Report gathers everything an auditor's pack holds. But for when and by whom
// it was made it depends on the moment and on what was recorded alone.
func (o *Office) Report(ctx context.Context, moment fleet.Moment, title, actor, version string) (fleet.EvidenceBody, error) {
	v, err := o.open(ctx, moment)
	if err != nil {
		return fleet.EvidenceBody{}, err
	}
	audit, err := o.audit(ctx, v, moment)
	if err != nil {
		return fleet.EvidenceBody{}, err
	}
	body := fleet.EvidenceBody{
		Title: title, Moment: audit.Moment, MadeAt: audit.At, MadeBy: actor, Version: version, Audit: audit,
		Policies:   v.recorded(v.ruleVersions()),
		Subjects:   v.recorded(append(v.all(fleet.KindDataset), v.all(fleet.KindWorkload)...)),
		Exceptions: v.recorded(v.exceptionVersions()),
		Decisions:  []fleet.Recorded{},
		Disclaimer: Disclaimer,
	}
	used := regionsInUse(audit.Places)
	body.Matrix = v.matrix(used)
	for _, region := range used {
		if facts, ok := v.catalog.Region(region); ok {
			body.Catalog = append(body.Catalog, facts)
		}
	}
	err = eachDecision(ctx, o.config.Store, v.known, func(change inventory.RawChange) {
		if !change.At.After(v.at) || moment.AsOf.IsZero() {
			body.Decisions = append(body.Decisions, recordedChange(change))
		}
	})
	return body, err
}

// recorded are versions as the inventory has them.
func (v *view) recorded(versions []*version) []fleet.Recorded {
	all := make([]fleet.Recorded, 0, len(versions))
	for _, one := range versions {
		all = append(all, recordedChange(inventory.RawChange{
			Revision: one.revision, At: one.recorded, Actor: one.actor, Action: one.action, Ref: one.ref, Document: one.document,
		}))
	}
	return all
}

func recordedChange(change inventory.RawChange) fleet.Recorded {
	return fleet.Recorded{Revision: change.Revision, At: change.At, Actor: change.Actor, Action: change.Action, Ref: change.Ref, Document: change.Document}
}

// exceptionVersions are all exceptions ever recorded, with everything that
// happened to them, by name and in order.
func (v *view) exceptionVersions() []*version {
	var all []*version
	for _, name := range v.names(fleet.KindException) {
		all = append(all, v.versions(fleet.Ref{Kind: fleet.KindException, Name: name})...)
	}
	return all
}

// regionsInUse are the places where anything is, pairs included, by name.
func regionsInUse(places []fleet.Audited) []string {
	var used []string
	for _, place := range places {
		used = append(used, place.Region)
		if place.GeoRedundant && place.Pair != "" {
			used = append(used, place.Pair)
		}
	}
	slices.Sort(used)
	return slices.Compact(used)
}

// matrix judges every dataset under every facet in every region in use.
func (v *view) matrix(regions []string) []fleet.Possible {
	var cells []fleet.Possible
	for _, dataset := range v.all(fleet.KindDataset) {
		for _, facet := range fleet.Facets {
			for _, region := range regions {
				verdict := v.judge(fleet.Question{Subject: dataset.ref, Facet: facet, Region: region})
				facts, _ := v.catalog.Region(region) // without any, it is unknown and denied
				cell := fleet.Possible{
					Region: region, Country: facts.Country, City: facts.City, Operator: facts.Operator,
					Allowed: verdict.Allowed, Verdict: verdict, Why: burden(verdict),
				}
				if !verdict.Allowed {
					cell.Why = denialOf(verdict)
				}
				cells = append(cells, cell)
			}
		}
	}
	return cells
}
