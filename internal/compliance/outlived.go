package compliance

import (
	"fmt"
	"reflect"
	"slices"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/residency"
)

// outlived warns of exceptions that were asked for when the rule they suspend
// said something else: they go on, and those who approved them have not seen
// the new words.
func outlived(before, after *view) []fleet.PolicyWarning {
	var warnings []fleet.PolicyWarning
	for _, one := range after.all(fleet.KindException) {
		exception, ok := one.content.(*residency.Exception)
		if !ok || exception.Status.RevokedAt != "" {
			continue
		}
		ends, err := residency.Ends(exception.Spec.Period, nil)
		if err != nil || !ends.After(after.at) {
			continue
		}
		if text := rewritten(before, after, exception.Spec); text != "" {
			warnings = append(warnings, fleet.PolicyWarning{
				Kind: fleet.WarningException, Rules: []string{exception.Spec.Policy + "/" + exception.Spec.Rule},
				Message: fmt.Sprintf("exception %s until %s was asked for when %s", one.ref.Name, exception.Spec.Until, text),
			})
		}
	}
	return warnings
}

// rewritten says how the rule an exception names would change; empty: not.
func rewritten(before, after *view, spec fleet.ExceptionSpec) string {
	was, wasRule := before.ruleNamed(spec.Policy, spec.Rule)
	is, isRule := after.ruleNamed(spec.Policy, spec.Rule)
	id := spec.Policy + "/" + spec.Rule
	switch {
	case wasRule == nil:
		return ""
	case isRule == nil:
		return fmt.Sprintf("there was a rule %s; without it the exception suspends nothing", id)
	case reflect.DeepEqual(wasRule, isRule) && reflect.DeepEqual(was.AppliesTo, is.AppliesTo):
		return ""
	}
	return fmt.Sprintf("%s was another rule, of version %s: it goes on with version %s; revoke it if that is not meant", id, was.Version, is.Version)
}

// ruleNamed finds a rule in the version of its policy that is law; nil when
// there is none.
func (v *view) ruleNamed(policy, name string) (fleet.ResidencyPolicySpec, *fleet.Rule) {
	law := v.valid(fleet.Ref{Kind: fleet.KindResidencyPolicy, Name: policy})
	if law == nil {
		return fleet.ResidencyPolicySpec{}, nil
	}
	resource, _ := law.content.(fleet.Resource)
	spec, err := fleet.SpecOf[fleet.ResidencyPolicySpec](resource)
	at := slices.IndexFunc(spec.Rules, func(rule fleet.Rule) bool { return rule.Name == name })
	if err != nil || at < 0 {
		return spec, nil
	}
	return spec, &spec.Rules[at]
}
