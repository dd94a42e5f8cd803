package kinds

import (
	"slices"
	"strconv"
	"strings"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

var policyColumns = []column{
	spec("VERSION", false, func(s fleet.ResidencyPolicySpec) string { return s.Version }),
	spec("IN-FORCE", false, func(s fleet.ResidencyPolicySpec) string { return Period(s.Effective) }),
	spec("CLASSES", false, func(s fleet.ResidencyPolicySpec) string { return strings.Join(s.AppliesTo.Classes, ",") }),
	spec("RULES", false, func(s fleet.ResidencyPolicySpec) string { return strconv.Itoa(len(s.Rules)) }),
	spec("CONFIDENCE", false, func(s fleet.ResidencyPolicySpec) string { return s.Confidence }),
	spec("RULE-NAMES", true, func(s fleet.ResidencyPolicySpec) string {
		var names []string
		for _, rule := range s.Rules {
			names = append(names, rule.Name)
		}
		return strings.Join(names, ",")
	}),
	spec("TITLE", true, func(s fleet.ResidencyPolicySpec) string { return s.Title }),
	labels,
}

// Period is a span of time in a cell: both ends, or the open one left out.
func Period(period fleet.Period) string {
	switch {
	case period.From == "" && period.Until == "":
		return "always"
	case period.Until == "":
		return "from " + period.From
	case period.From == "":
		return "until " + period.Until
	}
	return period.From + " to " + period.Until
}

var groupColumns = []column{
	spec("VERSION", false, func(s fleet.JurisdictionGroupSpec) string { return s.Version }),
	spec("MEMBERS", false, func(s fleet.JurisdictionGroupSpec) string { return strconv.Itoa(len(s.Members)) }),
	spec("TITLE", false, func(s fleet.JurisdictionGroupSpec) string { return s.Title }),
	spec("WHO", true, func(s fleet.JurisdictionGroupSpec) string {
		var members []string
		for _, member := range s.Members {
			if name := member.Country + member.Group; !slices.Contains(members, name) {
				members = append(members, name)
			}
		}
		return strings.Join(members, ",")
	}),
	labels,
}

var classColumns = []column{
	spec("INHERITS", false, func(s fleet.DataClassSpec) string { return strings.Join(s.Inherits, ",") }),
	spec("TITLE", false, func(s fleet.DataClassSpec) string { return s.Title }),
	spec("TEXT", true, func(s fleet.DataClassSpec) string { return s.Text }),
	labels,
}

var datasetColumns = []column{
	spec("CLASSES", false, func(s fleet.DatasetSpec) string { return strings.Join(s.Classes, ",") }),
	spec("WHERE", false, func(s fleet.DatasetSpec) string { return strings.Join(bound(s.Bindings), ",") }),
	spec("TITLE", false, func(s fleet.DatasetSpec) string { return s.Title }),
	spec("BINDINGS", true, func(s fleet.DatasetSpec) string {
		var parts []string
		for _, binding := range s.Bindings {
			parts = append(parts, binding.Name+":"+Facets(binding.Facets))
		}
		return strings.Join(parts, ",")
	}),
	spec("INSTRUMENTS", true, func(s fleet.DatasetSpec) string {
		var parts []string
		for _, instrument := range s.Instruments {
			parts = append(parts, instrument.Name+":"+string(instrument.Basis))
		}
		return strings.Join(parts, ",")
	}),
	labels,
}

// bound lists the regions of bindings, each once.
func bound(bindings []fleet.Binding) []string {
	var regions []string
	for _, binding := range bindings {
		if !slices.Contains(regions, binding.Region) {
			regions = append(regions, binding.Region)
		}
	}
	return regions
}

// Facets joins facets for a cell.
func Facets(facets []fleet.Facet) string {
	words := make([]string, len(facets))
	for i, facet := range facets {
		words[i] = string(facet)
	}
	return strings.Join(words, "+")
}

var workloadColumns = []column{
	spec("DATASETS", false, func(s fleet.WorkloadSpec) string {
		var names []string
		for _, use := range s.Datasets {
			names = append(names, use.Dataset)
		}
		return strings.Join(names, ",")
	}),
	spec("REGIONS", false, func(s fleet.WorkloadSpec) string { return strings.Join(s.Regions, ",") }),
	spec("TITLE", false, func(s fleet.WorkloadSpec) string { return s.Title }),
	spec("CLASSES", true, func(s fleet.WorkloadSpec) string {
		var parts []string
		for _, use := range s.Classes {
			parts = append(parts, strings.Join(use.Classes, "+"))
		}
		return strings.Join(parts, ",")
	}),
	labels,
}

var exceptionColumns = []column{
	spec("RULE", false, func(s fleet.ExceptionSpec) string { return s.Policy + "/" + s.Rule }),
	spec("SUBJECT", false, func(s fleet.ExceptionSpec) string { return Subject(s.Subject) }),
	spec("FACETS", false, func(s fleet.ExceptionSpec) string { return Facets(s.Facets) }),
	spec("WHERE", false, func(s fleet.ExceptionSpec) string { return Scope(s.Scope) }),
	status("PHASE", false, func(s fleet.ExceptionStatus) string { return string(s.Phase) }),
	spec("UNTIL", false, func(s fleet.ExceptionSpec) string { return s.Until }),
	status("REQUESTED-BY", false, func(s fleet.ExceptionStatus) string { return s.RequestedBy }),
	status("APPROVED-BY", false, func(s fleet.ExceptionStatus) string { return Approvers(s) }),
	spec("REASON", true, func(s fleet.ExceptionSpec) string { return s.Reason }),
	spec("REFERENCE", true, func(s fleet.ExceptionSpec) string { return s.Reference }),
	status("REVOKED-BY", true, func(s fleet.ExceptionStatus) string { return s.RevokedBy }),
}

// Subject writes a subject as people type it: dataset/crm.
func Subject(ref fleet.Ref) string {
	if ref.Name == "" {
		return ""
	}
	return strings.ToLower(string(ref.Kind)) + "/" + ref.Name
}

// Approvers lists who approved an exception.
func Approvers(status fleet.ExceptionStatus) string {
	var names []string
	for _, approval := range status.Approvals {
		names = append(names, approval.By)
	}
	return strings.Join(names, ",")
}

// Scope is a set of places in a cell.
func Scope(scope fleet.Scope) string {
	var parts []string
	if scope.Anywhere {
		parts = append(parts, "anywhere")
	}
	for _, list := range [][]string{scope.Groups, scope.Countries, scope.Regions, scope.Providers, scope.Partitions} {
		parts = append(parts, list...)
	}
	text := strings.Join(parts, ",")
	if scope.Except != nil {
		text += " except " + Scope(*scope.Except)
	}
	return text
}

var placementColumns = []column{
	spec("SUBJECT", false, func(s fleet.PlacementSpec) string { return Subject(s.Subject) }),
	spec("CLASSES", false, func(s fleet.PlacementSpec) string { return strings.Join(s.Classes, ",") }),
	spec("FACETS", false, func(s fleet.PlacementSpec) string { return Facets(s.Facets) }),
	spec("REGION", false, func(s fleet.PlacementSpec) string { return s.Region }),
	spec("STORE", false, func(s fleet.PlacementSpec) string { return s.Store }),
	spec("KNOWN", false, func(s fleet.PlacementSpec) string { return string(s.Source) }),
	spec("FROM", true, func(s fleet.PlacementSpec) string { return s.From }),
	spec("UNTIL", true, func(s fleet.PlacementSpec) string { return s.Until }),
	spec("PAIR", true, func(s fleet.PlacementSpec) string { return s.Pair }),
	{"CLUSTER", true, func(c cell) (string, error) { return c.Metadata.Owner, nil }},
}

var decisionColumns = []column{
	spec("ACT", false, func(s fleet.DecisionSpec) string { return s.Act.Kind }),
	spec("WHERE", false, func(s fleet.DecisionSpec) string { return s.Act.Region }),
	spec("ALLOWED", false, func(s fleet.DecisionSpec) string { return YesNo(s.Allowed) }),
	spec("VERDICTS", false, func(s fleet.DecisionSpec) string { return strconv.Itoa(len(s.Verdicts)) }),
	spec("BY", false, func(s fleet.DecisionSpec) string { return s.Act.Actor }),
	spec("OPERATION", true, func(s fleet.DecisionSpec) string { return s.Act.Operation }),
	spec("CLUSTER", true, func(s fleet.DecisionSpec) string { return s.Act.Cluster }),
	spec("DENIED-BY", true, func(s fleet.DecisionSpec) string { return strings.Join(deniers(s.Verdicts), ",") }),
}

// deniers lists the rules that denied, each once.
func deniers(verdicts []fleet.Verdict) []string {
	var rules []string
	for _, verdict := range verdicts {
		for _, finding := range verdict.Findings {
			if finding.Effect == fleet.EffectDenies && !slices.Contains(rules, finding.ID()) {
				rules = append(rules, finding.ID())
			}
		}
	}
	return rules
}

// YesNo is a truth value in a cell.
func YesNo(value bool) string {
	if value {
		return "yes"
	}
	return "no"
}
