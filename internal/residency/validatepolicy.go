package residency

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// ValidatePolicy finds the faults of a residency policy: names that do not
// exist, conditions that cannot be evaluated, dates that are none.
func ValidatePolicy(spec fleet.ResidencyPolicySpec) []Problem {
	found, _ := validatePolicy("", spec)
	return found
}

// validatePolicy finds a policy's faults and parses its conditions, one for
// each rule, nil where there is none.
func validatePolicy(name string, spec fleet.ResidencyPolicySpec) ([]Problem, []*expression) {
	var found problems
	if name == fleet.BuiltInPolicy {
		found.add("metadata.name", "choose another name", "%q are Meridian's own rules", name)
	}
	if spec.Version == "" {
		found.add("spec.version", "verdicts name the version they rest on", "is missing")
	}
	zone, err := zoneOf(spec.TimeZone)
	if err != nil {
		found.wrong("spec.timeZone", err)
	}
	if spec.Effective.From == "" {
		found.add("spec.effective.from", "say since when it is law", "is missing")
	}
	found.period("spec.effective", spec.Effective, zone)
	if len(spec.AppliesTo.Classes) == 0 {
		found.add("spec.appliesTo.classes", "name the data classes it is about", "is missing")
	}
	found.classes("spec.appliesTo.classes", spec.AppliesTo.Classes)
	if levels := []string{"high", "medium", "low"}; spec.Confidence != "" && !slices.Contains(levels, spec.Confidence) {
		found.add("spec.confidence", didYouMean(spec.Confidence, levels), "%q is no level of confidence", spec.Confidence)
	}
	found.sources(spec.Sources)
	if len(spec.Rules) == 0 {
		found.add("spec.rules", "", "has no rules")
	}
	conditions := make([]*expression, len(spec.Rules))
	names := map[string]bool{}
	for i, rule := range spec.Rules {
		field := indexed("spec.rules", i)
		if names[rule.Name] && rule.Name != "" {
			found.add(field+".name", "exceptions and verdicts name rules: give each its own name", "%q is the name of a rule before", rule.Name)
		}
		names[rule.Name] = true
		conditions[i] = found.rule(field, rule, zone)
	}
	return found, conditions
}

func (p *problems) rule(field string, rule fleet.Rule, zone *time.Location) *expression {
	if !ruleName.MatchString(rule.Name) {
		p.add(field+".name", "letters, digits, dots and hyphens, like stays-in-eea", "%q is no name of a rule", rule.Name)
	}
	p.facets(field+".facets", rule.Facets, true)
	p.classes(field+".classes", rule.Classes)
	if rule.Effective != nil {
		p.period(field+".effective", *rule.Effective, zone)
	}
	p.source(field+".minimumSource", rule.MinimumSource)
	p.kind(field, rule)
	if rule.When == "" {
		return nil
	}
	condition, faults := parseExpression(rule.When)
	for _, fault := range faults {
		fault.Field = field + ".when"
		*p = append(*p, fault)
	}
	return condition
}

// kind checks that a rule says one thing, and what it says.
func (p *problems) kind(field string, rule fleet.Rule) {
	var kinds []string
	for _, part := range []struct {
		kind fleet.RuleKind
		set  bool
	}{
		{fleet.RuleAllowOnly, rule.AllowOnly != nil}, {fleet.RuleRequireCopy, rule.RequireCopy != nil}, {fleet.RuleTransferIf, rule.TransferIf != nil},
		{fleet.RuleOperator, rule.Operator != nil}, {fleet.RuleObligation, rule.Obligation != nil},
	} {
		if part.set {
			kinds = append(kinds, string(part.kind))
		}
	}
	if len(kinds) != 1 {
		p.add(field, "exactly one of "+strings.Join(texts(fleet.RuleKinds), ", "), "says %d things%s", len(kinds), listed(kinds))
	}
	if rule.AllowOnly != nil {
		p.scope(field+".allowOnly", *rule.AllowOnly)
	}
	if rule.RequireCopy != nil {
		p.copyRule(field+".requireCopy", *rule.RequireCopy)
	}
	if rule.TransferIf != nil {
		p.transfer(field+".transferIf", *rule.TransferIf)
	}
	if rule.Operator != nil {
		p.operator(field+".operator", *rule.Operator)
	}
	if rule.Obligation != nil {
		p.obligation(field+".obligation", *rule.Obligation)
	}
}

func listed(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return ": " + strings.Join(names, ", ")
}

// scope checks a set of places, exceptions within it included.
func (p *problems) scope(field string, scope fleet.Scope) {
	if emptyScope(scope) {
		p.add(field, "list groups, countries, regions, providers or partitions, or write anywhere: true", "names no place")
	}
	for i, code := range scope.Countries {
		p.country(indexed(field+".countries", i), code)
	}
	for i, name := range scope.Regions {
		p.place(indexed(field+".regions", i), name)
	}
	p.names(field+".groups", scope.Groups)
	p.names(field+".providers", scope.Providers)
	p.names(field+".partitions", scope.Partitions)
	if scope.Except != nil {
		p.scope(field+".except", *scope.Except)
	}
}

func emptyScope(scope fleet.Scope) bool {
	return !scope.Anywhere && len(scope.Groups)+len(scope.Countries)+len(scope.Regions)+len(scope.Providers)+len(scope.Partitions) == 0
}

// names checks that no name of a list is empty.
func (p *problems) names(field string, names []string) {
	for i, name := range names {
		p.needed(indexed(field, i), name)
	}
}

func (p *problems) copyRule(field string, rule fleet.CopyRule) {
	p.scope(field+".in", rule.In)
	p.facets(field+".copies", rule.Copies, false)
	if rule.Minimum < 0 {
		p.add(field+".minimum", "how many different places need a copy", "%d is negative", rule.Minimum)
	}
}

func (p *problems) transfer(field string, rule fleet.TransferRule) {
	p.scope(field+".to", rule.To)
	if rule.Home != nil {
		p.scope(field+".home", *rule.Home)
	}
	p.basis(field+".basis", rule.Basis)
	p.names(field+".counterparties", rule.Counterparties)
	if rule.Basis == fleet.BasisAdequacy && len(rule.Counterparties) > 0 {
		p.add(field+".counterparties", "leave it out, or choose another basis", "adequacy holds by the law alone, without a counterparty")
	}
}

func (p *problems) basis(field string, basis fleet.TransferBasis) {
	if !slices.Contains(fleet.TransferBases, basis) {
		p.add(field, didYouMean(string(basis), texts(fleet.TransferBases)), "%q is no legal basis", basis)
	}
}

func (p *problems) operator(field string, rule fleet.OperatorRule) {
	lists := []struct {
		name  string
		names []string
	}{
		{"notControlledFrom", rule.NotControlledFrom}, {"onlyControlledFrom", rule.OnlyControlledFrom}, {"supportedFrom", rule.SupportedFrom},
		{"partitions", rule.Partitions}, {"notPartitions", rule.NotPartitions}, {"operators", rule.Operators}, {"certifications", rule.Certifications},
	}
	total := 0
	for _, list := range lists {
		total += len(list.names)
		p.names(field+"."+list.name, list.names)
	}
	for _, list := range lists[:3] {
		for i, name := range list.names {
			if upper := strings.ToUpper(name); name != upper && countryCodes[upper] != nil {
				p.add(indexed(field+"."+list.name, i), fmt.Sprintf("did you mean %s?", upper), "%q is no ISO 3166-1 country", name)
			}
		}
	}
	if total == 0 {
		p.add(field, "say what must hold of the operator", "says nothing")
	}
}

func (p *problems) obligation(field string, rule fleet.ObligationRule) {
	if !slices.Contains(fleet.ObligationActions, rule.Action) {
		p.add(field+".action", didYouMean(string(rule.Action), texts(fleet.ObligationActions)), "%q is no action", rule.Action)
	}
	p.needed(field+".text", rule.Text)
	if _, err := parseLimit(rule.Within); err != nil {
		p.wrong(field+".within", err)
	}
	if rule.Inside != nil {
		p.scope(field+".inside", *rule.Inside)
	}
	if rule.Outside != nil {
		p.scope(field+".outside", *rule.Outside)
	}
}
