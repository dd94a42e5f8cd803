package report

import (
	"strings"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/residency/report/reasons"
)

// shownViolations is how many places the list on the first page names.
const shownViolations = 12

// violation is one place and facet that is out of line.
type violation struct {
	Number                               int
	Subject, Where, Facet, Since, Source string
	Rules                                []brokenRule
	Lawful                               []string
}

// brokenRule is a rule that denies, or a policy of whose grounds none is met.
type brokenRule struct {
	ID, Title, Version, Plain, Reason, Cites, Looked string
	Grounds                                          []groundView
	Facts                                            []string
	Suspended                                        string // by which exceptions
}

// groundView is one of several grounds of which any would have done.
type groundView struct{ Name, Cites, Plain, Missing string }

func newViolations(body fleet.EvidenceBody, known gazetteer, rules ruleTexts) []violation {
	var all []violation
	for _, place := range body.Audit.Places {
		for _, verdict := range place.Verdicts {
			if verdict.Allowed {
				continue
			}
			one := violation{
				Number: len(all) + 1, Subject: subjectText(place.Located), Where: whereBoth(place.Located, known), Facet: facetText(verdict.Facet),
				Since: or(place.From, "not known"), Source: sourceText(place.Located),
			}
			for _, effect := range []fleet.Effect{fleet.EffectDenies, fleet.EffectSuspended} {
				for _, group := range reasons.Grouped(reasons.Of(verdict, effect)) {
					one.Rules = append(one.Rules, rules.broken(group, known))
				}
			}
			for _, alternative := range verdict.Alternatives {
				one.Lawful = append(one.Lawful, alternative.Text)
			}
			all = append(all, one)
		}
	}
	return all
}

// whereBoth is a place, with its replica pair when the data is in both.
func whereBoth(located fleet.Located, known gazetteer) string {
	text := known.text(located.Region)
	if located.GeoRedundant {
		text += " and its pair " + known.text(or(located.Pair, "that nobody knows"))
	}
	return text
}

// Shown is what the list on the first page names.
func (v *view) Shown() []violation { return v.Violations[:min(shownViolations, len(v.Violations))] }

// ruleTexts finds what a rule says by its policy, version and name.
type ruleTexts map[string]policyRule

type policyRule struct{ title, plain string }

func ruleKey(policy, version, rule string) string { return policy + "\x00" + version + "\x00" + rule }

func newRuleTexts(body fleet.EvidenceBody) ruleTexts {
	texts := ruleTexts{}
	for _, recorded := range body.Policies {
		if recorded.Ref.Kind != fleet.KindResidencyPolicy {
			continue
		}
		policy, ok := specOf[fleet.ResidencyPolicySpec](recorded)
		if !ok {
			continue
		}
		for _, rule := range policy.Rules {
			texts[ruleKey(recorded.Ref.Name, policy.Version, rule.Name)] = policyRule{policy.Title, or(rule.Plain, ruleText(rule))}
		}
	}
	return texts
}

func (t ruleTexts) of(reason reasons.Reason) policyRule {
	return t[ruleKey(reason.Policy, reason.Version, reason.Name)]
}

func (t ruleTexts) broken(group reasons.Group, known gazetteer) brokenRule {
	first := group.Reasons[0]
	text := t.of(first)
	broken := brokenRule{
		ID: group.Policy, Title: text.title, Version: group.Version, Suspended: strings.Join(first.Suspend, ", "), Looked: placesText(group.Looked(), known),
	}
	for _, fact := range group.Facts() {
		broken.Facts = append(broken.Facts, factText(fact))
	}
	if !group.Grounds() {
		broken.ID, broken.Plain, broken.Cites, broken.Reason = first.Rule(), text.plain, first.Cites, shortened(first.Why, text.plain)
		return broken
	}
	broken.Reason = "Data may leave on one of these grounds, and none of them is met."
	for _, reason := range group.Reasons {
		broken.Grounds = append(broken.Grounds, groundView{reason.Name, reason.Cites, t.of(reason).plain, or(strings.Join(reason.Missing, "; "), strings.Join(reason.Why, " "))})
	}
	return broken
}

// shortened is why a rule denies, without what the rule says anyway.
func shortened(why []string, plain string) string {
	plain = strings.TrimRight(strings.TrimSpace(plain), ".")
	rest := make([]string, len(why))
	for i, sentence := range why {
		rest[i] = sentence
		if after, found := strings.CutPrefix(sentence, plain+". "); found && plain != "" {
			rest[i] = after
		}
	}
	return strings.Join(rest, " ")
}

func placesText(regions []string, known gazetteer) string {
	texts := make([]string, len(regions))
	for i, region := range regions {
		texts[i] = known.text(region)
	}
	return strings.Join(texts, ", ")
}
