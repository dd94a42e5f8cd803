package verdict

import (
	"slices"
	"strings"
	"time"

	"github.com/meridian-fleet/meridian/internal/cli/kinds"
	"github.com/meridian-fleet/meridian/internal/fleet"
)

// exceptionMonths is for how long the commands offered ask; whoever copies one
// can say another day.
const exceptionMonths = 3

// Requests are the commands that ask for the exceptions an alternative names:
// for the facets and places which its rules forbid in this verdict, and no
// more. Of what was law on an earlier day there are none: exceptions do not
// reach back.
func (a Atlas) Requests(verdict fleet.Verdict, alternative fleet.Alternative) []string {
	if alternative.Kind != fleet.AlternativeException || a.Today.IsZero() || verdict.At.Before(a.Today.AddDate(0, 0, -1)) {
		return nil
	}
	from := verdict.At
	if a.Today.After(from) {
		from = a.Today
	}
	until := from.UTC().AddDate(0, exceptionMonths, 0).Format(time.DateOnly)
	var commands []string
	for _, rule := range alternative.Rules {
		facets, regions := forbidden(verdict, rule)
		commands = append(commands, "fleetctl exception request --rule "+rule+" --for "+kinds.Subject(verdict.Subject)+
			" --facet "+strings.Join(facets, ",")+" --region "+strings.Join(regions, ",")+" --until "+until+` --reason "say why"`)
	}
	return commands
}

// forbidden lists the facets and places that a rule forbids in a verdict.
func forbidden(verdict fleet.Verdict, rule string) (facets, regions []string) {
	for _, finding := range verdict.Findings {
		if finding.ID() != rule || finding.Effect != fleet.EffectDenies {
			continue
		}
		facets = addNew(facets, or(string(finding.Facet), string(verdict.Facet)))
		regions = addNew(regions, or(finding.Region, verdict.Region))
	}
	slices.Sort(facets)
	slices.Sort(regions)
	return facets, regions
}

func or(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}
