package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// figure is a number on the first page.
type figure struct{ Number, What, State string }

func newFigures(body fleet.EvidenceBody) []figure {
	places := len(body.Audit.Places)
	figures := []figure{
		{fmt.Sprint(places), strings.TrimPrefix(count(places, "place", "places"), fmt.Sprint(places)+" ") + " checked", ""},
		{fmt.Sprint(max(0, places-body.Audit.Violations-body.Audit.Suspended)), "in line", "allowed"},
		{fmt.Sprint(body.Audit.Suspended), "in line only by an exception", "exception"},
		{fmt.Sprint(body.Audit.Violations), "out of line", "denied"},
	}
	for i := range figures {
		if figures[i].Number == "0" {
			figures[i].State = ""
		} else if mark := marks[figures[i].State]; figures[i].State != "" {
			figures[i].What = mark + " " + figures[i].What
		}
	}
	return figures
}

// exceptedView is an exception without which something would be out of line.
type exceptedView struct {
	Name, Rule, Until, By string
	Where                 []string
	places                names
}

func newExcepted(body fleet.EvidenceBody) []exceptedView {
	var all []exceptedView
	for _, place := range body.Audit.Places {
		for _, verdict := range place.Verdicts {
			for _, used := range verdict.Exceptions {
				at := slices.IndexFunc(all, func(other exceptedView) bool { return other.Name == used.Name && other.Rule == used.Rule })
				if at < 0 {
					at = len(all)
					all = append(all, exceptedView{Name: used.Name, Rule: used.Rule, Until: used.Until, By: used.By})
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

// warn parts the warnings about policies: those that bear on data of the
// report come first, the others at its end.
func (v *view) warn(body fleet.EvidenceBody) {
	used := classesOf(body)
	for _, warning := range body.Audit.Warnings {
		text := warning.Message
		if len(warning.Rules) > 0 {
			text += " (" + strings.Join(warning.Rules, ", ") + ")"
		}
		if bears(warning, used) {
			v.Warnings = append(v.Warnings, text)
		} else {
			v.Remarks = append(v.Remarks, text)
		}
	}
}

func bears(warning fleet.PolicyWarning, used map[string]bool) bool {
	if warning.Kind != fleet.WarningContradiction && warning.Kind != fleet.WarningDeniesAll {
		return false
	}
	return warning.Witness == nil || len(warning.Witness.Classes) == 0 ||
		slices.ContainsFunc(warning.Witness.Classes, func(class string) bool { return used[class] })
}

// classesOf are the classes of the data in a report.
func classesOf(body fleet.EvidenceBody) map[string]bool {
	used := map[string]bool{}
	add := func(classes []string) {
		for _, class := range classes {
			used[class] = true
		}
	}
	for _, place := range body.Audit.Places {
		add(place.Classes)
	}
	for _, recorded := range body.Subjects {
		switch recorded.Ref.Kind {
		case fleet.KindDataset:
			if spec, ok := specOf[fleet.DatasetSpec](recorded); ok {
				add(spec.Classes)
			}
		case fleet.KindWorkload:
			if spec, ok := specOf[fleet.WorkloadSpec](recorded); ok {
				for _, use := range spec.Classes {
					add(use.Classes)
				}
			}
		}
	}
	return used
}
