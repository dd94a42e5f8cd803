package casefile

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/manifest"
)

// someRegions are places enough for what is tested here.
var someRegions = []fleet.RegionFacts{
	{Provider: "aws", ID: "ap-south-1", Country: "IN", City: "Mumbai", Partition: "aws", Operator: "AWS India", Jurisdictions: []string{"IN", "US"}},
	{Provider: "aws", ID: "us-east-1", Country: "US", City: "Ashburn", Partition: "aws", Operator: "AWS", Jurisdictions: []string{"US"}},
}

// What a run says of cases and coverage, word for word.
func TestRun(t *testing.T) {
	t.Parallel()
	archives(t, "testdata/runs/*.txtar", func(t *testing.T, folder string) string {
		suite, err := Load(folder)
		if err != nil {
			t.Fatal(err)
		}
		result, err := suite.Run(someRegions)
		if err != nil {
			t.Fatal(err)
		}
		return describe(result)
	})
}

func describe(result *Result) string {
	var b strings.Builder
	fmt.Fprintf(&b, "passed: %v, cases: %d, failed: %d, questions: %d\n", result.Passed, len(result.Cases), result.Failed, result.Questions)
	for _, one := range result.Cases {
		fmt.Fprintf(&b, "%s: %s: passed: %v\n", one.Position, one.Name, one.Passed)
		for _, difference := range one.Differences {
			fmt.Fprintf(&b, "  %s in %s: %s\n", difference.Facet, difference.Region, difference.Text)
		}
	}
	for _, rule := range result.Coverage {
		fmt.Fprintf(&b, "%s: %s: exercised: %v, denied: %d, permitted: %d, suspended: %d, obliged: %d\n",
			rule.Position, rule.Rule, rule.Exercised, rule.Denied, rule.Permitted, rule.Suspended, rule.Obliged)
	}
	fmt.Fprintf(&b, "unexercised: %v\n", result.Unexercised())
	return b.String()
}

// A difference says what the rules said, so that nobody has to ask again.
func TestDifferencesHaveReasons(t *testing.T) {
	t.Parallel()
	suite := loadText(t, `kind: ResidencyCases
at: 2026-03-01
cases:
- name: nothing is known of it
  subject: {classes: [unheard-of]}
  facet: storage
  region: aws/us-east-1
  expect: {verdict: allowed}
`)
	result, err := suite.Run(someRegions)
	if err != nil || result.Passed || len(result.Cases) != 1 || len(result.Cases[0].Differences) != 1 {
		t.Fatalf("got %+v, %v; want one case with one difference", result, err)
	}
	reasons := strings.Join(result.Cases[0].Differences[0].Reasons, "\n")
	if !strings.Contains(reasons, "meridian/unknown-class denies it: ") {
		t.Errorf("got the reasons %q; want that the class is unknown", reasons)
	}
	encoded, err := json.Marshal(result)
	if err != nil || !strings.Contains(string(encoded), `"differences":[{"facet":"storage","region":"aws/us-east-1"`) {
		t.Errorf("got %s, %v", encoded, err)
	}
}

func loadText(t *testing.T, text string) *Suite {
	t.Helper()
	path := filepath.Join(t.TempDir(), "cases.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	suite, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	return suite
}

// The engine and the reference are compared in every respect that a verdict
// has.
func TestDisagreements(t *testing.T) {
	t.Parallel()
	agreed := fleet.Verdict{
		Allowed:     true,
		Findings:    []fleet.Finding{{Policy: "p", Rule: "a", Effect: fleet.EffectAllows}, {Policy: "p", Rule: "s", Effect: fleet.EffectSuspended}},
		Obligations: []fleet.DueObligation{{Policy: "p", Rule: "o"}, {Policy: "p", Rule: "u", Unsure: true}},
		Exceptions:  []fleet.UsedException{{Name: "x"}},
	}
	if texts := disagreement(agreed, agreed); len(texts) > 0 {
		t.Errorf("a verdict disagrees with itself: %v", texts)
	}
	for name, change := range map[string]func(*fleet.Verdict){
		"verdict":  func(v *fleet.Verdict) { v.Allowed = false },
		"findings": func(v *fleet.Verdict) { v.Findings = v.Findings[:1] },
		"effects": func(v *fleet.Verdict) {
			v.Findings = append(v.Findings[1:], fleet.Finding{Policy: "p", Rule: "a", Effect: fleet.EffectDenies})
		},
		"obligations": func(v *fleet.Verdict) { v.Obligations = v.Obligations[1:] },
		"unsure":      func(v *fleet.Verdict) { v.Obligations = v.Obligations[:1] },
		"exceptions":  func(v *fleet.Verdict) { v.Exceptions = nil },
	} {
		other := agreed
		change(&other)
		if len(disagreement(agreed, other)) == 0 {
			t.Errorf("other %s are no disagreement", name)
		}
	}
}

func TestLoadDocuments(t *testing.T) {
	t.Parallel()
	resources, err := LoadDocuments("../../../deploy/residency")
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[fleet.Kind]int{}
	for _, resource := range resources {
		kinds[resource.Kind]++
	}
	if kinds[fleet.KindResidencyPolicy] == 0 || kinds[fleet.KindJurisdictionGroup] == 0 || kinds[KindCases] > 0 {
		t.Errorf("got %v; want policies and groups, and no cases", kinds)
	}
	if _, err = LoadDocuments("../testdata/cases/places.yaml"); err == nil {
		t.Error("a case file that was named was taken for documents")
	}
	again, err := LoadDocuments("../../../deploy/residency", "../../../deploy/residency")
	if err != nil || len(again) != len(resources) {
		t.Errorf("a folder named twice has %d documents instead of %d: %v", len(again), len(resources), err)
	}
}

// The form that docs/residency.md shows is the one that is read, and it shows
// all of it.
func TestTheFormIsDocumented(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../../docs/residency.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(text), "## Case files")
	_, block, fenced := strings.Cut(rest, "```yaml\n")
	block, _, closed := strings.Cut(block, "```")
	if !found || !fenced || !closed {
		t.Fatal("docs/residency.md shows no case file")
	}
	content, _, err := manifest.DecodeStrict[form]("docs/residency.md", []byte(block))
	if err != nil || content.Kind != KindCases || len(content.Cases) == 0 {
		t.Errorf("got %+v, %v", content, err)
	}
	for _, shown := range []any{form{}, caseForm{}, subjectForm{}, exceptionForm{}, expectForm{}, alternativesForm{}} {
		fields := reflect.TypeOf(shown)
		for i := range fields.NumField() {
			name := fields.Field(i).Tag.Get("json")
			undocumented := []string{"apiVersion", "reason", "reference", "requestedAt"} // optional, as elsewhere
			if !strings.Contains(rest, name) && !slices.Contains(undocumented, name) {
				t.Errorf("docs/residency.md does not mention %s of %s", name, fields.Name())
			}
		}
	}
}
