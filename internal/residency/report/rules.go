package report

import (
	"fmt"
	"strings"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// policyView is one recorded version of a policy, in full.
type policyView struct {
	Name, Title, Version, Summary, Effective, Zone, Confidence string
	RecordedAt, RecordedBy                                     string
	Revision                                                   int64
	Classes                                                    []string
	Rules                                                      []ruleView
	NotCovered                                                 []string
	Sources                                                    []fleet.Source
	Text                                                       string
}

type ruleView struct {
	Name, Kind, Facets, Classes, Plain, Says, When, Effective, Minimum, Cites string
}

func newPolicies(body fleet.EvidenceBody) []policyView {
	var all []policyView
	for _, recorded := range body.Policies {
		if recorded.Ref.Kind != fleet.KindResidencyPolicy {
			continue
		}
		view := policyView{
			Name: recorded.Ref.Name, Revision: recorded.Revision, RecordedAt: when(recorded.At), RecordedBy: recorded.Actor,
		}
		if spec, ok := specOf[fleet.ResidencyPolicySpec](recorded); ok {
			view.fill(spec)
			view.Text = indented(recorded.Document)
		} else {
			view.Title = "deleted"
		}
		all = append(all, view)
	}
	return all
}

func (v *policyView) fill(spec fleet.ResidencyPolicySpec) {
	v.Title, v.Version, v.Summary, v.Effective, v.Zone = spec.Title, spec.Version, spec.Summary, effectiveText(spec.Effective), or(spec.TimeZone, "UTC")
	v.Confidence, v.Classes, v.NotCovered, v.Sources = spec.Confidence, spec.AppliesTo.Classes, spec.NotCovered, spec.Sources
	for _, rule := range spec.Rules {
		view := ruleView{
			Name: rule.Name, Kind: string(rule.Kind()), Facets: facetNames(rule.Facets), Classes: strings.Join(rule.Classes, ", "),
			Plain: rule.Plain, Says: ruleText(rule), When: rule.When, Minimum: string(rule.MinimumSource), Cites: rule.Cites,
		}
		if rule.Effective != nil {
			view.Effective = effectiveText(*rule.Effective)
		}
		v.Rules = append(v.Rules, view)
	}
}

// ruleText says what a rule asks for in one sentence.
func ruleText(rule fleet.Rule) string {
	switch rule.Kind() {
	case fleet.RuleAllowOnly:
		return "Only in " + scopeText(rule.AllowOnly) + "."
	case fleet.RuleRequireCopy:
		copies := facetNames(rule.RequireCopy.Copies)
		if copies == "" {
			copies = facetNames(fleet.CopyFacets)
		}
		return fmt.Sprintf("At least %s (%s) in %s.", count(max(1, rule.RequireCopy.Minimum), "copy", "copies"), copies, scopeText(&rule.RequireCopy.In))
	case fleet.RuleTransferIf:
		return transferText(rule.TransferIf)
	case fleet.RuleOperator:
		return operatorText(rule.Operator)
	case fleet.RuleObligation:
		return obligationRuleText(rule.Obligation)
	}
	return ""
}

func transferText(rule *fleet.TransferRule) string {
	text := fmt.Sprintf("May leave for %s on the basis of %s", scopeText(&rule.To), strings.ReplaceAll(string(rule.Basis), "-", " "))
	if len(rule.Counterparties) > 0 {
		text += " with " + strings.Join(rule.Counterparties, " or ")
	}
	if rule.Home != nil {
		text += "; at home in " + scopeText(rule.Home)
	}
	return text + "."
}

func operatorText(rule *fleet.OperatorRule) string {
	var parts []string
	for _, part := range []struct {
		says   string
		values []string
	}{
		{"not controlled from", rule.NotControlledFrom}, {"controlled from nowhere but", rule.OnlyControlledFrom}, {"supported from nowhere but", rule.SupportedFrom},
		{"in partition", rule.Partitions}, {"not in partition", rule.NotPartitions}, {"run by", rule.Operators}, {"certified as", rule.Certifications},
	} {
		if len(part.values) > 0 {
			parts = append(parts, part.says+" "+strings.Join(part.values, ", "))
		}
	}
	return "Whoever runs the place: " + strings.Join(parts, "; ") + "."
}

func obligationRuleText(rule *fleet.ObligationRule) string {
	text := strings.TrimSuffix(rule.Text, ".")
	if rule.To != "" {
		text += ", to " + rule.To
	}
	if rule.Within != "" {
		text += ", within " + rule.Within
	}
	if rule.Inside != nil {
		text += ", in " + scopeText(rule.Inside)
	}
	if rule.Outside != nil {
		text += ", outside " + scopeText(rule.Outside)
	}
	return fmt.Sprintf("Duty to %s: %s.", rule.Action, text)
}

// scopeText names the places of a scope.
func scopeText(scope *fleet.Scope) string {
	if scope == nil {
		return "any place"
	}
	var parts []string
	if scope.Anywhere {
		parts = append(parts, "any place")
	}
	for _, part := range []struct {
		says   string
		values []string
	}{
		{"", scope.Groups}, {"", scope.Countries}, {"", scope.Regions}, {"regions of ", scope.Providers}, {"partition ", scope.Partitions},
	} {
		for _, value := range part.values {
			parts = append(parts, part.says+value)
		}
	}
	text := strings.Join(parts, ", ")
	if text == "" {
		text = "no place"
	}
	if scope.Except != nil {
		text += ", but not " + scopeText(scope.Except)
	}
	return text
}

// groupView is one recorded version of a jurisdiction group or data class.
type groupView struct {
	Name, Kind, Title, Version, Text, RecordedAt string
	Revision                                     int64
	Members                                      []memberView
	Inherits                                     []string
	Sources                                      []fleet.Source
}

type memberView struct{ Who, Period, Cites, Note string }

func newGroups(body fleet.EvidenceBody) []groupView {
	var all []groupView
	for _, recorded := range body.Policies {
		view := groupView{Name: recorded.Ref.Name, Revision: recorded.Revision, RecordedAt: when(recorded.At)}
		switch recorded.Ref.Kind {
		case fleet.KindJurisdictionGroup:
			view.Kind = "Group of jurisdictions"
			if spec, ok := specOf[fleet.JurisdictionGroupSpec](recorded); ok {
				view.Title, view.Version, view.Sources = spec.Title, spec.Version, spec.Sources
				for _, member := range spec.Members {
					view.Members = append(view.Members, memberView{member.Country + member.Group, periodText(member.From, member.Until), member.Cites, member.Note})
				}
			}
		case fleet.KindDataClass:
			view.Kind = "Data class"
			if spec, ok := specOf[fleet.DataClassSpec](recorded); ok {
				view.Title, view.Text, view.Inherits = spec.Title, spec.Text, spec.Inherits
			}
		default:
			continue
		}
		all = append(all, view)
	}
	return all
}
