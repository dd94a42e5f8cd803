package casefile_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/manifest"
	"github.com/meridian-fleet/meridian/internal/residency"
	"github.com/meridian-fleet/meridian/internal/residency/casefile"
)

const (
	packsFolder   = "../../../deploy/residency"
	policyFile    = "policy.yaml"
	casesFile     = "cases.yaml"
	leastPacks    = 29
	leastCases    = 12 // of each pack
	leastRegimes  = 38 // policies
	reviewedSince = "2026-06-01"
)

// packs lists the folders of packs: those with a policy.
func packs(t testing.TB) []string {
	t.Helper()
	policies, err := filepath.Glob(filepath.Join(packsFolder, "*", policyFile))
	if err != nil {
		t.Fatal(err)
	}
	if len(policies) < leastPacks {
		t.Fatalf("there are %d packs, want at least %d", len(policies), leastPacks)
	}
	folders := make([]string, len(policies))
	for i, path := range policies {
		folders[i] = filepath.Dir(path)
	}
	return folders
}

// packDocuments are the documents of all packs, read strictly.
func packDocuments(t testing.TB) []fleet.Resource {
	t.Helper()
	documents, err := casefile.LoadDocuments(packsFolder)
	if err != nil {
		t.Fatal(err)
	}
	return documents
}

func specOf[T any](t testing.TB, resource fleet.Resource) T {
	t.Helper()
	spec, err := fleet.SpecOf[T](resource)
	if err != nil {
		t.Fatal(err)
	}
	return spec
}

// Each pack is tried on its own: its cases pass, and each of its rules is
// exercised by one of them.
func TestPacks(t *testing.T) {
	t.Parallel()
	for _, folder := range packs(t) {
		t.Run(filepath.Base(folder), func(t *testing.T) {
			t.Parallel()
			if _, err := os.Stat(filepath.Join(folder, casesFile)); err != nil {
				t.Fatalf("the pack has no cases: %v", err)
			}
			result := run(t, folder)
			if len(result.Cases) < leastCases {
				t.Errorf("the pack has %d cases, want at least %d", len(result.Cases), leastCases)
			}
		})
	}
}

// The folder as a whole, as officers run it: what the packs say together, too.
func TestPacksTogether(t *testing.T) {
	t.Parallel()
	run(t, packsFolder)
}

// An officer must be able to see, for each policy, where it comes from, what
// it leaves out and how sure its authors are.
func TestPacksSayWhatTheyRestOn(t *testing.T) {
	t.Parallel()
	policies := 0
	for _, resource := range packDocuments(t) {
		if resource.Kind != fleet.KindResidencyPolicy {
			continue
		}
		policies++
		spec, name := specOf[fleet.ResidencyPolicySpec](t, resource), resource.Metadata.Name
		for part, missing := range map[string]bool{
			"title": spec.Title == "", "summary": spec.Summary == "", "notCovered": len(spec.NotCovered) == 0,
			"confidence": spec.Confidence == "", "sources": len(spec.Sources) == 0,
		} {
			if missing {
				t.Errorf("%s has no %s", name, part)
			}
		}
		for _, source := range spec.Sources {
			if source.Date == "" && source.Note == "" && source.URL == "" {
				t.Errorf("%s: the source %q has neither date, address nor note", name, source.Title)
			}
		}
		for _, rule := range spec.Rules {
			if rule.Cites == "" || rule.Plain == "" {
				t.Errorf("%s/%s lacks its citation or what it says in plain words", name, rule.Name)
			}
		}
	}
	if policies < leastRegimes {
		t.Errorf("there are %d policies, want at least %d", policies, leastRegimes)
	}
}

// A group is only as good as the citations of its members, and nobody is a
// member twice at the same time.
func TestGroupsCiteEveryMember(t *testing.T) {
	t.Parallel()
	groups := 0
	for _, resource := range packDocuments(t) {
		if resource.Kind != fleet.KindJurisdictionGroup {
			continue
		}
		groups++
		spec := specOf[fleet.JurisdictionGroupSpec](t, resource)
		if len(spec.Sources) == 0 {
			t.Errorf("the group %s has no sources", resource.Metadata.Name)
		}
		for i, member := range spec.Members {
			if member.Cites == "" {
				t.Errorf("the group %s cites nothing for %s%s", resource.Metadata.Name, member.Country, member.Group)
			}
			for _, earlier := range spec.Members[:i] {
				if earlier.Country == member.Country && earlier.Group == member.Group && overlap(t, earlier, member) {
					t.Errorf("the group %s has %s%s twice at the same time", resource.Metadata.Name, member.Country, member.Group)
				}
			}
		}
	}
	if groups == 0 {
		t.Error("there are no groups")
	}
}

// overlap reports whether two memberships have a moment in common.
func overlap(t testing.TB, one, other fleet.GroupMember) bool {
	t.Helper()
	return startsWithin(t, one, other) || startsWithin(t, other, one)
}

// startsWithin reports whether a membership is on when another begins.
func startsWithin(t testing.TB, one, other fleet.GroupMember) bool {
	t.Helper()
	begins, err := residency.Begins(fleet.Period{From: other.From, Until: other.Until}, time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	covered, err := residency.Covers(fleet.Period{From: one.From, Until: one.Until}, time.UTC, begins)
	if err != nil {
		t.Fatal(err)
	}
	return covered
}

// Packs name only groups and classes that are there.
func TestPacksNameWhatIsDeclared(t *testing.T) {
	t.Parallel()
	documents := packDocuments(t)
	declared := map[fleet.Ref]bool{}
	for _, resource := range documents {
		declared[resource.Ref()] = true
	}
	want := func(user string, kind fleet.Kind, names ...string) {
		for _, name := range names {
			if !declared[fleet.Ref{Kind: kind, Name: name}] {
				t.Errorf("%s names the %s %q, which is not declared", user, kind, name)
			}
		}
	}
	for _, resource := range documents {
		user := resource.Ref().String()
		switch resource.Kind {
		case fleet.KindDataClass:
			want(user, fleet.KindDataClass, specOf[fleet.DataClassSpec](t, resource).Inherits...)
		case fleet.KindJurisdictionGroup:
			for _, member := range specOf[fleet.JurisdictionGroupSpec](t, resource).Members {
				if member.Group != "" {
					want(user, fleet.KindJurisdictionGroup, member.Group)
				}
			}
		case fleet.KindResidencyPolicy:
			spec := specOf[fleet.ResidencyPolicySpec](t, resource)
			want(user, fleet.KindDataClass, spec.AppliesTo.Classes...)
			for _, rule := range spec.Rules {
				want(user+"/"+rule.Name, fleet.KindDataClass, rule.Classes...)
				for _, scope := range scopesOf(rule) {
					want(user+"/"+rule.Name, fleet.KindJurisdictionGroup, scope.Groups...)
				}
			}
		}
	}
}

// scopesOf are the scopes of a rule, exceptions within them included.
func scopesOf(rule fleet.Rule) []fleet.Scope {
	var top []*fleet.Scope
	top = append(top, rule.AllowOnly)
	if rule.RequireCopy != nil {
		top = append(top, &rule.RequireCopy.In)
	}
	if rule.TransferIf != nil {
		top = append(top, rule.TransferIf.Home, &rule.TransferIf.To)
	}
	if rule.Obligation != nil {
		top = append(top, rule.Obligation.Inside, rule.Obligation.Outside)
	}
	var all []fleet.Scope
	for _, scope := range top {
		for ; scope != nil; scope = scope.Except {
			all = append(all, *scope)
		}
	}
	return all
}

// All packs together leave a lawful place for data of each class they speak
// about: no two of them contradict each other.
func TestPacksDoNotContradict(t *testing.T) {
	t.Parallel()
	documents := packDocuments(t)
	book, err := residency.NewRulebook(documents)
	if err != nil {
		t.Fatal(err)
	}
	catalog, err := residency.NewCatalog(append(regions(t), vouchedFor(t, documents)...))
	if err != nil {
		t.Fatal(err)
	}
	from, err := residency.ParseInstant(reviewedSince)
	if err != nil {
		t.Fatal(err)
	}
	for _, warning := range book.Review(catalog, from, nil) {
		if warning.Kind != fleet.WarningUnused && warning.Kind != fleet.WarningStyle {
			t.Errorf("%s: %s %v", warning.Kind, warning.Message, warning.Rules)
		}
	}
}

// Every class that a policy of a pack is about has, for each facet, at least
// one place of the world where nothing but missing facts and copies can stop
// it: a pack that forgot a facet would deny it everywhere.
func TestPacksCoverEveryFacet(t *testing.T) {
	t.Parallel()
	documents := packDocuments(t)
	at, err := residency.ParseInstant(reviewedSince)
	if err != nil {
		t.Fatal(err)
	}
	book, err := residency.NewRulebook(documents)
	if err != nil {
		t.Fatal(err)
	}
	catalog, err := residency.NewCatalog(append(regions(t), vouchedFor(t, documents)...))
	if err != nil {
		t.Fatal(err)
	}
	compiled, err := book.Compile(catalog, at)
	if err != nil {
		t.Fatal(err)
	}
	for _, class := range ruledClasses(t, documents) {
		prepared := compiled.Prepare(residency.Subject{Declared: true, Classes: []string{class}})
		for _, facet := range fleet.Facets {
			if allowed := prepared.Allowed(facet); allowed == (residency.Set{}) {
				t.Errorf("data of class %s has no place for %s", class, facet)
			}
		}
	}
}

// vouchedFor are regions of operators that only domestic law reaches and that
// have every certification a rule asks for: what the clouds' own catalogs do
// not say, Region documents can.
func vouchedFor(t testing.TB, documents []fleet.Resource) []fleet.RegionFacts {
	t.Helper()
	certifications, err := json.Marshal(wantedCertifications(t, documents))
	if err != nil {
		t.Fatal(err)
	}
	var all []fleet.RegionFacts
	for _, country := range []string{"DE", "FR", "US"} {
		all = append(all, fleet.RegionFacts{
			Provider: "vouched", ID: strings.ToLower(country), Country: country, Partition: "vouched",
			Operator: "Operator " + country, Jurisdictions: []string{country},
			Facts: map[string]fleet.DataFact{
				"certifications": {Value: certifications, Source: fleet.SourceAttested},
				"supportedFrom":  {Value: json.RawMessage(`["` + country + `"]`), Source: fleet.SourceAttested},
			},
		})
	}
	return all
}

// wantedCertifications are the certifications that rules ask for.
func wantedCertifications(t testing.TB, documents []fleet.Resource) []string {
	t.Helper()
	wanted := []string{}
	for _, resource := range documents {
		if resource.Kind != fleet.KindResidencyPolicy {
			continue
		}
		for _, rule := range specOf[fleet.ResidencyPolicySpec](t, resource).Rules {
			if rule.Operator != nil {
				wanted = append(wanted, rule.Operator.Certifications...)
			}
		}
	}
	slices.Sort(wanted)
	return slices.Compact(wanted)
}

// ruledClasses are the classes that policies and their rules name.
func ruledClasses(t testing.TB, documents []fleet.Resource) []string {
	t.Helper()
	var classes []string
	for _, resource := range documents {
		if resource.Kind != fleet.KindResidencyPolicy {
			continue
		}
		spec := specOf[fleet.ResidencyPolicySpec](t, resource)
		classes = append(classes, spec.AppliesTo.Classes...)
		for _, rule := range spec.Rules {
			classes = append(classes, rule.Classes...)
		}
	}
	slices.Sort(classes)
	return slices.Compact(classes)
}

// What is shipped can be applied: the API's own reading finds no fault.
func TestPacksCanBeApplied(t *testing.T) {
	t.Parallel()
	var documents []manifest.Document
	paths, err := filepath.Glob(filepath.Join(packsFolder, "*", "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range append(paths, filepath.Join(packsFolder, "classes.yaml")) {
		if strings.HasSuffix(path, casesFile) {
			continue
		}
		content, err := os.ReadFile(path) //nolint:gosec // of this repository
		if err != nil {
			t.Fatal(err)
		}
		read, err := manifest.Parse(path, content)
		if err != nil {
			t.Error(err)
		}
		documents = append(documents, read...)
	}
	nothing := func(fleet.Ref) (bool, error) { return false, nil }
	anything := func(string) (bool, error) { return true, nil }
	if err := manifest.Check(context.Background(), documents, nothing, anything); err != nil {
		t.Error(err)
	}
}
