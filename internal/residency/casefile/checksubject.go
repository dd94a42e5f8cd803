package casefile

import (
	"fmt"
	"slices"
	"strings"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/manifest"
	"github.com/meridian-fleet/meridian/internal/residency"
)

func checkSubject(f *faults, documents records, field string, checked situation) {
	subject := checked.Subject
	given := 0
	for _, one := range []bool{subject.Classes != nil, subject.Dataset != "", subject.Workload != ""} {
		if one {
			given++
		}
	}
	switch {
	case given != 1:
		f.note(field+".subject", "want one of classes, dataset and workload").Advise("such as subject: {classes: [personal.eu]}")
	case documents.incomplete:
	case subject.Dataset != "":
		checkDataset(f, documents, field+".subject.dataset", subject.Dataset, checked.Expect)
	case subject.Workload != "":
		checkWorkload(f, documents, field+".subject.workload", checked)
	}
}

// checkDataset takes an unknown dataset for a slip of the pen unless the case
// wants the denial it gets.
func checkDataset(f *faults, documents records, field, name string, expect expectForm) {
	if len(documents.datasets[name]) > 0 || expect.Verdict == verdictDenied &&
		(expect.Deciding == nil || slices.Contains(expect.Deciding, fleet.BuiltInPolicy+"/"+fleet.RuleUnknownDataset)) {
		return
	}
	adviseName(f.note(field, "no document declares the dataset %q", name), name, keys(documents.datasets))
}

func checkWorkload(f *faults, documents records, field string, checked situation) {
	name := checked.Subject.Workload
	if len(documents.workloads[name]) == 0 {
		adviseName(f.note(field, "no document declares the workload %q", name), name, keys(documents.workloads))
	} else if _, begun := versionAt(documents.workloads[name], checked.at); !begun && !checked.at.IsZero() {
		f.note(field, "the workload %q is not declared yet at the instant of the case", name).Advise("see its since")
	}
}

// adviseName names the known name most like the one given.
func adviseName(fault *fleet.Error, given string, known []string) {
	if near := manifest.Nearest(given, known); near != "" {
		fault.Advise("did you mean %q?", near)
	} else {
		fault.Advise("declare it under documents, or name its file under use")
	}
}

func keys[Value any](table map[string]Value) []string {
	names := make([]string, 0, len(table))
	for name := range table {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// checkAdditions holds what a case says of its data to the rules for datasets.
func checkAdditions(f *faults, field string, written caseForm) {
	spec := fleet.DatasetSpec{Classes: []string{"any"}, Facts: written.Facts, Instruments: written.Instruments}
	for i, place := range written.Copies {
		spec.Bindings = append(spec.Bindings, place.binding(i))
	}
	for _, problem := range residency.ValidateDataset(spec) {
		at := strings.TrimPrefix(problem.Field, "spec.")
		if rest, ok := strings.CutPrefix(at, "bindings"); ok {
			at = "copies" + rest
		}
		f.note(field+"."+at, "%s", problem.Message).Hint = problem.Hint
	}
}

// binding is a copy as a dataset's document would have it.
func (c copyForm) binding(index int) fleet.Binding {
	return fleet.Binding{
		Name: fmt.Sprintf("copy-%d", index+1), Facets: c.Facets, Region: c.Region,
		GeoRedundant: c.GeoRedundant, Pair: c.Pair, Source: c.Source, From: c.From, Until: c.Until,
	}
}

func checkException(f *faults, documents records, field string, written exceptionForm) {
	if written.Name == "" {
		f.note(field+".name", "is missing")
	}
	spec := written.spec(fleet.Ref{Kind: fleet.KindDataset, Name: "any"})
	for _, problem := range residency.ValidateException(spec) {
		if problem.Field == "spec.policy" && written.Policy == fleet.BuiltInPolicy {
			continue // a case may show that this suspends nothing
		}
		f.note(field+"."+strings.TrimPrefix(problem.Field, "spec."), "%s", problem.Message).Hint = problem.Hint
	}
	checkStatus(f, field+".", written.status())
	checkRule(f, documents, field+".rule", written.Policy+"/"+written.Rule)
}

// checkRule wants the name of a rule that there is.
func checkRule(f *faults, documents records, field, id string) {
	known := builtIn()
	for _, rule := range documents.rules {
		known = append(known, rule.id)
	}
	if slices.Contains(known, id) || documents.incomplete {
		return
	}
	fault := f.note(field, "there is no rule %q", id)
	if near := manifest.Nearest(id, known); near != "" {
		fault.Advise("did you mean %q?", near)
	} else {
		fault.Advise("want POLICY/RULE of a policy among the documents")
	}
}

// builtIn lists Meridian's own rules.
func builtIn() []string {
	var ids []string
	for _, rule := range []string{
		fleet.RuleUnknownRegion, fleet.RuleUnknownPair, fleet.RuleUnknownClass, fleet.RuleUnknownDataset,
		fleet.RuleUnclassified, fleet.RuleNoRule, fleet.RuleUnknownFact, fleet.RuleBadDocument,
	} {
		ids = append(ids, fleet.BuiltInPolicy+"/"+rule)
	}
	return ids
}

var alternativeKinds = []fleet.AlternativeKind{
	fleet.AlternativeNoPair, fleet.AlternativeFact, fleet.AlternativeInstrument,
	fleet.AlternativeCopy, fleet.AlternativeMove, fleet.AlternativeException,
}

func checkExpectation(f *faults, documents records, field string, expect expectForm) {
	if expect.Verdict == "" {
		f.note(field+".verdict", "is missing").Advise("%s or %s", verdictAllowed, verdictDenied)
	} else {
		checkWord(f, field+".verdict", expect.Verdict, []string{verdictAllowed, verdictDenied})
	}
	for name, ids := range map[string][]string{
		"deciding": expect.Deciding, "suspended": expect.Suspended, "obligations": expect.Obligations, "unsure": expect.Unsure,
	} {
		for i, id := range ids {
			checkRule(f, documents, manifest.Element(field+"."+name, i), id)
		}
	}
	for id, due := range expect.Due {
		checkRule(f, documents, manifest.Child(field+".due", id), id)
		checkInstant(f, manifest.Child(field+".due", id), due, true)
	}
	if wanted := expect.Alternatives; wanted != nil {
		checkWords(f, field+".alternatives.kinds", wanted.Kinds, alternativeKinds)
		checkWords(f, field+".alternatives.without", wanted.Without, alternativeKinds)
		checkRegionNames(f, field+".alternatives.includes", wanted.Includes)
		checkRegionNames(f, field+".alternatives.excludes", wanted.Excludes)
	}
}
