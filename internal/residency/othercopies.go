package residency

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// moreCopies offers copies to make first.
func moreCopies(m matter, denials []denial) []change {
	return combined(m, denials, fleet.AlternativeCopy, copiesFor)
}

// lack is a copy rule with the places where a further copy would count and
// may be, the nearest first.
type lack struct {
	rule    *applied
	missing int
	order   []PlaceID // where one would count
	facet   fleet.Facet
	places  []string // where it also may be
}

// copiesFor finds places for the copies that denying rules miss. Of one copy
// each place that will do is listed, of several one set of places.
func copiesFor(m matter, one denial) []option {
	lacks, done := m.lacks(one)
	if len(lacks) == 0 {
		return nil
	}
	made := option{rules: make([]string, 0, len(lacks)), subject: m.parts[one.index].prepared.subject}
	for _, lack := range lacks {
		made.rules = append(made.rules, lack.rule.id)
	}
	if len(lacks) == 1 && lacks[0].missing == 1 {
		return m.oneCopy(one, lacks[0], made)
	}
	for _, lack := range lacks {
		if len(lack.places) < lack.missing {
			return nil
		}
		made.subject = withCopies(made.subject, lack.facet, lack.places[:lack.missing])
		done = withCopies(done, lack.facet, lack.places[:lack.missing])
		made.regions = append(made.regions, lack.places[:lack.missing]...)
	}
	if !m.compiled.mayAll(done, lacks) {
		return nil
	}
	slices.Sort(made.regions)
	made.regions = slices.Compact(made.regions)
	made.text = fmt.Sprintf("once there are copies%s in all of: %s", m.about(one.index), strings.Join(made.regions, ", "))
	return []option{made}
}

// oneCopy offers the places for the only copy that is missing. They are alike
// to the rule, and to any other a further copy is never worse than none: so
// judging with one of them is judging with each.
func (m matter) oneCopy(one denial, lack lack, made option) []option {
	if len(lack.places) == 0 {
		return nil
	}
	made.subject, made.regions = withCopies(made.subject, lack.facet, lack.places[:1]), lack.places
	if !m.with(one.index, made.subject).verdict(one.index).Allowed {
		return nil
	}
	const shown = 5
	list := strings.Join(made.regions[:min(shown, len(made.regions))], ", ")
	if more := len(made.regions) - shown; more > 0 {
		list += fmt.Sprintf(" or %d more", more)
	}
	made.text = fmt.Sprintf("once there is a copy%s in: %s", m.about(one.index), list)
	return []option{made}
}

func withCopies(subject Subject, facet fleet.Facet, places []string) Subject {
	subject.Copies = slices.Clone(subject.Copies)
	for _, place := range places {
		subject.Copies = append(subject.Copies, Copy{Facets: []fleet.Facet{facet}, Region: place, Source: fleet.SourceAttested})
	}
	return subject
}

// lacks are the copy rules that deny, and the data with what is asked about
// done: copies that can be made at once are judged so.
func (m matter) lacks(one denial) ([]lack, Subject) {
	p, q := m.parts[one.index].prepared, m.question
	a := asked{facet: facetIndex(m.parts[one.index].facet), source: q.Source, leaving: q.Leaving}
	a.place, a.pair = m.compiled.catalog.both(q.Region, q.GeoRedundant, q.Pair)
	denying := rulesOf([]denial{one}, fleet.RuleRequireCopy)
	var list []lack
	for _, rule := range m.rulesAsked(one.index) {
		if rule.kind != fleet.RuleRequireCopy || !slices.Contains(denying, rule.id) ||
			slices.ContainsFunc(list, func(other lack) bool { return other.rule.number == rule.number }) {
			continue
		}
		counted := p.copiesAfter(rule.clause, &a)
		if missing := rule.wanted() - counted.Len(); missing > 0 { // else it denies under another facet
			list = append(list, lack{rule: rule, missing: missing, order: m.counting(rule, &counted, !p.isCopy(rule.clause, a.facet))})
		}
	}
	done := p.subject
	done.Copies = append(slices.Clone(done.Copies), Copy{
		Facets: []fleet.Facet{fleet.Facets[a.facet]}, Region: q.Region, GeoRedundant: q.GeoRedundant, Pair: q.Pair,
		Source: cmp.Or(q.Source, fleet.SourceAttested),
	})
	for i := range list {
		list[i].facet, list[i].places = m.homes(list, i, done)
	}
	return list, done
}

// counting are the places where a further copy would count for a rule, the
// nearest first: the one asked about only where that makes no copy.
func (m matter) counting(rule *applied, counted *Set, itself bool) []PlaceID {
	wanted, gone := rule.holds, m.compiled.places(m.question.Leaving)
	wanted.AndNot(counted)
	wanted.AndNot(&gone)
	var list []PlaceID
	if id, known := m.compiled.catalog.ids[m.question.Region]; known && itself {
		list = append(list, id)
	}
	list = append(list, m.compiled.catalog.nearestTo(m.question.Region)...)
	return slices.DeleteFunc(list, func(id PlaceID) bool { return !wanted.Has(id) })
}

// homes are places where a further copy counts and may be made, the nearest
// first, and as what: cloud regions, or countries where there is none.
func (m matter) homes(lacks []lack, index int, done Subject) (fleet.Facet, []string) {
	catalog := m.compiled.catalog
	for number, facet := range fleet.Facets {
		if !lacks[index].rule.copies.has(number) {
			continue
		}
		free := m.compiled.Prepare(m.beside(lacks, index, facet, done)).Allowed(facet)
		var clouds, countries []string
		for _, id := range lacks[index].order {
			switch {
			case !free.Has(id):
			case catalog.clouds.Has(id):
				clouds = append(clouds, catalog.names[id])
			default:
				countries = append(countries, catalog.names[id])
			}
		}
		if len(clouds) > 0 {
			return facet, clouds
		}
		if len(countries) > 0 {
			return facet, countries
		}
	}
	return "", nil
}

// beside is the data with as many copies as are missing besides the one that
// is looked for.
func (m matter) beside(lacks []lack, index int, facet fleet.Facet, done Subject) Subject {
	for i, lack := range lacks {
		kind := lack.rule.copies.first()
		switch {
		case i == index && lack.missing == 1:
			continue
		case i == index:
			kind = facet
		}
		for _, id := range lack.order[:min(lack.missing, len(lack.order))] {
			done = withCopies(done, kind, []string{m.compiled.catalog.names[id]})
		}
	}
	return done
}

// mayAll reports whether the copies that are missing may all be made, seen
// together.
func (c *Compiled) mayAll(subject Subject, lacks []lack) bool {
	prepared := c.Prepare(subject)
	for _, lack := range lacks {
		for _, place := range lack.places[:lack.missing] {
			if !prepared.AllowsRegion(lack.facet, place) {
				return false
			}
		}
	}
	return true
}

// excepted offers exceptions to ask for, as few as will do. Meridian's own
// denials and data without a name can have none.
func excepted(m matter, denials []denial) []change {
	if m.subject.Name == "" {
		return nil
	}
	var wanted []Exception
	var choices []string // rules of which some may do
	for _, one := range denials {
		for _, finding := range one.findings {
			if finding.Kind == fleet.RuleBuiltIn {
				return nil
			}
			if finding.Kind == fleet.RuleTransferIf {
				choices = append(choices, finding.ID())
			}
			wanted = m.want(wanted, finding, m.parts[one.index].facet)
		}
	}
	after, ok := m.excepting(wanted)
	if !ok {
		return nil
	}
	for i := 0; i < len(wanted); {
		if !slices.Contains(choices, wanted[i].Name) {
			i++
			continue
		}
		fewer := slices.Delete(slices.Clone(wanted), i, i+1)
		if without, ok := m.excepting(fewer); ok {
			wanted, after = fewer, without
		} else {
			i++
		}
	}
	var rules []string
	for _, exception := range wanted {
		rules = append(rules, exception.Spec.Policy+"/"+exception.Spec.Rule)
	}
	text := fmt.Sprintf("allowed with an exception from %s, approved by two people other than who asks for it", strings.Join(rules, " and "))
	return []change{{fleet.Alternative{Kind: fleet.AlternativeException, Text: text, Rules: rules}, after}}
}

// want adds an exception from a rule for the facet asked about and the place
// of a finding.
func (m matter) want(list []Exception, finding fleet.Finding, facet fleet.Facet) []Exception {
	at := slices.IndexFunc(list, func(other Exception) bool {
		return other.Spec.Policy == finding.Policy && other.Spec.Rule == finding.Rule
	})
	if at < 0 {
		now := m.compiled.at.UTC().Format(time.RFC3339Nano)
		list = append(list, Exception{
			Name: finding.ID(),
			Spec: fleet.ExceptionSpec{Policy: finding.Policy, Rule: finding.Rule, Subject: m.subject,
				Period: fleet.Period{Until: m.compiled.at.UTC().AddDate(1, 0, 0).Format(dateLayout)}},
			Status: fleet.ExceptionStatus{RequestedBy: "requester", Approvals: []fleet.Approval{{By: "one", At: now}, {By: "another", At: now}}},
		})
		at = len(list) - 1
	}
	spec := &list[at].Spec
	if !slices.Contains(spec.Facets, facet) {
		spec.Facets = append(spec.Facets, facet)
	}
	if !slices.Contains(spec.Scope.Regions, finding.Region) {
		spec.Scope.Regions = append(spec.Scope.Regions, finding.Region)
	}
	return list
}

// excepting is the matter with further exceptions, if that makes it allowed.
func (m matter) excepting(list []Exception) (matter, bool) {
	after := m
	if m.subject.Kind == fleet.KindWorkload {
		after.exceptions = append(slices.Clone(m.exceptions), list...)
	} else {
		subject := m.parts[0].prepared.subject
		subject.Exceptions = append(slices.Clone(subject.Exceptions), list...)
		after = m.with(0, subject)
	}
	return after, after.allowed()
}
