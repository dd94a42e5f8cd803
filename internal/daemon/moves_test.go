package daemon

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// gameRegions are a few places: with and without a pair, near and far.
var gameRegions = []fleet.RegionFacts{
	{Provider: "aws", ID: "eu-central-1", Country: "DE", City: "Frankfurt", Partition: "aws", Operator: "A", Jurisdictions: []string{"US"}},
	{Provider: "aws", ID: "us-east-1", Country: "US", City: "Ashburn", Partition: "aws", Operator: "A", Jurisdictions: []string{"US"}},
	{Provider: "aws", ID: "ap-south-1", Country: "IN", City: "Mumbai", Partition: "aws", Operator: "A", Jurisdictions: []string{"US"}},
	{Provider: "azure", ID: "westeurope", Country: "NL", City: "Amsterdam", Partition: "azure", Operator: "M", Jurisdictions: []string{"NL"}, ReplicaPair: "eastus"},
	{Provider: "azure", ID: "eastus", Country: "US", City: "Boydton", Partition: "azure", Operator: "M", Jurisdictions: []string{"US"}, ReplicaPair: "westeurope"},
}

var (
	gameClasses = []string{"open", "personal.eu", "personal.eu", "payments.in", "personal"}
	gameRefs    = []fleet.Ref{
		{Kind: fleet.KindDataset, Name: "one"}, {Kind: fleet.KindDataset, Name: "two"}, {Kind: fleet.KindWorkload, Name: "shop"},
		{Kind: fleet.KindDataset, Name: "one"}, {Kind: fleet.KindDataset, Name: "two"}, {Kind: fleet.KindWorkload, Name: "shop"},
		{Kind: fleet.KindResidencyPolicy, Name: "eu"}, {Kind: fleet.KindResidencyPolicy, Name: "open"},
		{Kind: fleet.KindJurisdictionGroup, Name: "near"}, {Kind: fleet.KindDataClass, Name: "personal.eu"}, {Kind: fleet.KindException, Name: "x0"},
	}
)

func made(kind fleet.Kind, name string, spec any) fleet.Resource {
	resource, err := fleet.NewResource(kind, name, spec, nil)
	if err != nil {
		panic(err) // a spec of ours that is no JSON
	}
	return resource
}

// gameGroups are the classes and a group, wide or not.
func gameGroups(version string, wide bool) []fleet.Resource {
	var all []fleet.Resource
	for _, class := range slices.Compact(slices.Clone(gameClasses)) {
		all = append(all, made(fleet.KindDataClass, class, fleet.DataClassSpec{}))
	}
	members := []fleet.GroupMember{{Country: "DE"}, {Country: "NL"}}
	if wide {
		members = append(members, fleet.GroupMember{Country: "US"})
	}
	return append(all, made(fleet.KindJurisdictionGroup, "near", fleet.JurisdictionGroupSpec{Version: version, Members: members}))
}

// gamePolicies has every kind of rule that denies.
func gamePolicies(version string, lax, strict bool) []fleet.Resource {
	policy := func(name, class string, rules ...fleet.Rule) fleet.Resource {
		for i := range rules {
			rules[i].Cites = "Art. " + rules[i].Name
		}
		return made(fleet.KindResidencyPolicy, name, fleet.ResidencyPolicySpec{
			Version: version, Effective: fleet.Period{From: "2020-01-01"}, AppliesTo: fleet.PolicySubjects{Classes: []string{class}}, Rules: rules,
		})
	}
	kept := []fleet.Facet{fleet.FacetStorage, fleet.FacetBackup}
	eu := []fleet.Rule{
		{Name: "stays", Facets: kept, AllowOnly: &fleet.Scope{Groups: []string{"near"}, Anywhere: lax}},
		{Name: "transfer", Facets: []fleet.Facet{fleet.FacetProcessing}, TransferIf: &fleet.TransferRule{
			Home: &fleet.Scope{Groups: []string{"near"}}, To: fleet.Scope{Countries: []string{"US"}}, Basis: fleet.BasisContract,
		}},
		{Name: "secret", Facets: kept, When: `data.secrecy == "professional"`, Operator: &fleet.OperatorRule{NotControlledFrom: []string{"US"}}},
	}
	if strict {
		eu = append(eu, fleet.Rule{Name: "one-country", Facets: kept, AllowOnly: &fleet.Scope{Countries: []string{"DE"}}})
	}
	return []fleet.Resource{
		policy("eu", "personal.eu", eu...),
		policy("india", "payments.in",
			fleet.Rule{Name: "copy", Facets: kept, RequireCopy: &fleet.CopyRule{In: fleet.Scope{Countries: []string{"IN"}}}},
			fleet.Rule{Name: "processing", Facets: []fleet.Facet{fleet.FacetProcessing}, AllowOnly: &fleet.Scope{Countries: []string{"IN", "DE"}}}),
		policy("open", "open", fleet.Rule{Name: "anywhere", Facets: append([]fleet.Facet{fleet.FacetProcessing}, kept...), AllowOnly: &fleet.Scope{Anywhere: true}}),
	}
}

func drawRegion(t *rapid.T) string {
	return rapid.SampledFrom(gameRegions).Draw(t, "region").Name()
}

func drawSome(t *rapid.T, label string, of []string) []string {
	some := []string{rapid.SampledFrom(of).Draw(t, label)}
	if other := rapid.SampledFrom(of).Draw(t, label); other != some[0] && rapid.IntRange(0, 3).Draw(t, "both") == 0 {
		some = append(some, other)
	}
	return some
}

// drawDay is a day around now, mostly none.
func drawDay(t *rapid.T, label string, now time.Time) string {
	days := rapid.SampledFrom([]int{-400, -30, -1, 1, 30, 100}).Draw(t, label)
	if rapid.IntRange(0, 6).Draw(t, label+" said") < 6 {
		return ""
	}
	return now.AddDate(0, 0, days).UTC().Format(time.DateOnly)
}

// drawBinding is one somewhere.
func drawBinding(t *rapid.T, name string, now time.Time) fleet.Binding {
	binding := fleet.Binding{
		Name: name, Facets: []fleet.Facet{rapid.SampledFrom([]fleet.Facet{fleet.FacetStorage, fleet.FacetStorage, fleet.FacetBackup}).Draw(t, "facet")},
		Region: drawRegion(t), Existing: rapid.IntRange(0, 7).Draw(t, "existing") == 7,
		From: drawDay(t, "from", now), Until: drawDay(t, "until", now),
	}
	if binding.GeoRedundant = rapid.IntRange(0, 3).Draw(t, "geo-redundant") == 0; binding.GeoRedundant && rapid.Bool().Draw(t, "named") {
		binding.Pair = drawRegion(t)
	}
	return binding
}

// drawDataset makes a new one, or changes a little of the one there is.
func drawDataset(t *rapid.T, w world, now time.Time) fleet.Resource {
	ref := rapid.SampledFrom(gameRefs[:2]).Draw(t, "dataset")
	current, there := w.resources[ref]
	var spec fleet.DatasetSpec
	if !there || rapid.IntRange(0, 4).Draw(t, "anew") == 0 || json.Unmarshal(current.Spec, &spec) != nil {
		spec = fleet.DatasetSpec{Classes: drawSome(t, "classes", gameClasses), Since: drawDay(t, "since", now)}
		for i := range rapid.IntRange(0, 2).Draw(t, "bindings") {
			spec.Bindings = append(spec.Bindings, drawBinding(t, fmt.Sprint("b", i), now))
		}
		return made(ref.Kind, ref.Name, spec)
	}
	for range rapid.IntRange(1, 2).Draw(t, "changes") {
		changeDataset(t, &spec, now)
	}
	return made(ref.Kind, ref.Name, spec)
}

// changeDataset changes one thing about a dataset.
func changeDataset(t *rapid.T, spec *fleet.DatasetSpec, now time.Time) {
	one := -1
	if len(spec.Bindings) > 0 {
		one = rapid.IntRange(0, len(spec.Bindings)-1).Draw(t, "binding")
	}
	switch change := rapid.IntRange(0, 11).Draw(t, "change"); {
	case change <= 1:
		spec.Classes = drawSome(t, "classes", gameClasses)
	case change == 2:
		secrecy := rapid.SampledFrom([]string{"none", "professional"}).Draw(t, "secrecy")
		source := rapid.SampledFrom([]fleet.FactSource{fleet.SourceDeclared, fleet.SourceDeclared, fleet.SourceAttested}).Draw(t, "source")
		spec.Facts = map[string]fleet.DataFact{"secrecy": {Value: json.RawMessage(`"` + secrecy + `"`), Source: source, Reference: "a paper"}}
	case change == 3:
		spec.Facts = nil
	case change == 4:
		spec.Instruments = []fleet.Instrument{{Name: "scc", Basis: fleet.BasisContract, Reference: "a paper", Until: drawDay(t, "instrument until", now)}}
	case change == 5:
		spec.Instruments, spec.Since = nil, drawDay(t, "since", now)
	case change <= 7 || one < 0:
		spec.Bindings = append(spec.Bindings, drawBinding(t, freeName(*spec), now))
	case change == 8: // another store at a place there is
		again := spec.Bindings[one]
		again.Name, again.Existing = freeName(*spec), false
		spec.Bindings = append(spec.Bindings, again)
	case change == 9:
		spec.Bindings = slices.Delete(spec.Bindings, one, one+1)
	case change == 10:
		spec.Bindings[one].Until = drawDay(t, "until", now)
		spec.Bindings[one].Existing = rapid.IntRange(0, 3).Draw(t, "existing") == 0
	default:
		spec.Bindings[one] = drawBinding(t, spec.Bindings[one].Name, now)
	}
}

func freeName(spec fleet.DatasetSpec) string {
	for i := 0; ; i++ {
		name := fmt.Sprint("b", i)
		if !slices.ContainsFunc(spec.Bindings, func(b fleet.Binding) bool { return b.Name == name }) {
			return name
		}
	}
}

func drawWorkload(t *rapid.T) fleet.Resource {
	spec := fleet.WorkloadSpec{}
	for _, dataset := range drawSome(t, "datasets", []string{"one", "two"}) {
		use := fleet.DatasetUse{Dataset: dataset}
		if rapid.Bool().Draw(t, "keeps") {
			use.Facets = []fleet.Facet{fleet.FacetStorage}
		}
		spec.Datasets = append(spec.Datasets, use)
	}
	if rapid.IntRange(0, 3).Draw(t, "classes") == 0 {
		spec.Classes = []fleet.ClassUse{{Classes: drawSome(t, "use", gameClasses)}}
	}
	spec.Regions = rapid.SliceOfNDistinct(rapid.Custom(drawRegion), 0, 2, rapid.ID[string]).Draw(t, "regions")
	return made(fleet.KindWorkload, "shop", spec)
}

func drawException(t *rapid.T, now time.Time) fleet.ExceptionSpec {
	rule := rapid.SampledFrom([][2]string{{"eu", "stays"}, {"eu", "transfer"}, {"eu", "secret"}, {"india", "copy"}, {"india", "processing"}, {"eu", "one-country"}}).Draw(t, "rule")
	return fleet.ExceptionSpec{
		Policy: rule[0], Rule: rule[1], Subject: rapid.SampledFrom(gameRefs[:3]).Draw(t, "subject"),
		Facets: []fleet.Facet{fleet.FacetStorage, fleet.FacetProcessing}, Scope: fleet.Scope{Countries: []string{"US", "NL"}},
		Period: fleet.Period{Until: now.AddDate(0, 0, rapid.IntRange(1, 360).Draw(t, "lasts")).UTC().Format(time.DateOnly)}, Reason: "needed",
	}
}
