package compliance_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/meridian-fleet/meridian/internal/compliance"
	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/inventory"
)

// raw is a document that got into the inventory past all checks.
func raw(kind fleet.Kind, name, spec string) fleet.Resource {
	return fleet.Resource{APIVersion: fleet.APIVersion, Kind: kind, Metadata: fleet.Metadata{Name: name}, Spec: json.RawMessage(spec)}
}

// What cannot be read denies what depends on it, and nothing else.
func TestBadDocumentsDeny(t *testing.T) {
	t.Parallel()
	const bad = "no meridian/bad-document"
	good := map[string]string{
		"patients": "yes eu-personal-data/stays", "pages": "yes open-data/anywhere", "site": "yes open-data/anywhere", "portal": "yes eu-personal-data/processing",
	}
	all := map[string]string{"patients": bad, "pages": bad, "site": bad, "portal": bad}
	with := func(changes ...string) map[string]string {
		want := map[string]string{}
		for name, outcome := range good {
			want[name] = outcome
		}
		for _, name := range changes {
			want[name] = bad
		}
		return want
	}
	for name, test := range map[string]struct {
		document fleet.Resource
		want     map[string]string
	}{
		"a policy":                  {raw(fleet.KindResidencyPolicy, "broken", `{"rules": 5}`), all},
		"a policy without a rule":   {raw(fleet.KindResidencyPolicy, "broken", `{"version":"1","effective":{"from":"2020-01-01"},"appliesTo":{"classes":["public"]},"rules":[{"name":"r","facets":["storage"]}]}`), all},
		"a policy without a date":   {raw(fleet.KindResidencyPolicy, "eu-personal-data", `{"version":"1","effective":{"from":"2020-02-30"},"rules":[]}`), all},
		"a policy of no time zone":  {raw(fleet.KindResidencyPolicy, "broken", `{"version":"1","timeZone":"Mars/North","effective":{"from":"9000-01-01"},"rules":[]}`), all},
		"a group":                   {raw(fleet.KindJurisdictionGroup, "EEA", `{"members":[{"country":"Atlantis"}]}`), all},
		"a class":                   {raw(fleet.KindDataClass, "public", `{"inherits":{}}`), all},
		"classes in a circle":       {raw(fleet.KindDataClass, "personal", `{"inherits":["personal.eu"]}`), all},
		"a dataset":                 {raw(fleet.KindDataset, "patients", `{"classes":"personal.eu"}`), with("patients", "portal")},
		"a fact of a dataset":       {raw(fleet.KindDataset, "patients", `{"classes":["personal.eu"],"facts":{"secrecy":{"value":[[]]}}}`), with("patients", "portal")},
		"since when of a dataset":   {raw(fleet.KindDataset, "pages", `{"classes":["public"],"since":"soon"}`), with("pages", "site")},
		"a workload":                {raw(fleet.KindWorkload, "site", `[]`), with("site")},
		"a region":                  {raw(fleet.KindRegion, "aws/eu-west-3", `{"facts":{"supportedFrom":{"value":7}}}`), all},
		"a region none asks about":  {raw(fleet.KindRegion, "aws/eu-west-1", `7`), good},
		"an exception":              {raw(fleet.KindException, "x", `{"policy":[]}`), good},
		"a placement":               {raw(fleet.KindPlacement, "c/Pod/n/p", `{"subject":"patients"}`), good},
		"a placement without facet": {raw(fleet.KindPlacement, "c/Pod/n/p", `{"subject":{"kind":"Dataset","name":"patients"}}`), good},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			f.apply(t, dataset("patients", "{classes: [personal.eu], "+binding("region: aws/eu-west-3")+"}")+dataset("pages", "{classes: [public]}")+
				workload("portal", "{datasets: [{dataset: patients}], regions: [aws/eu-west-3]}")+workload("site", "{datasets: [{dataset: pages}]}"))
			f.put(t, test.document)
			for subject, want := range test.want {
				question := fleet.Question{Subject: of(subject), Facet: fleet.FacetStorage, Region: "aws/eu-west-3"}
				if subject == "site" || subject == "portal" {
					question = fleet.Question{Subject: running(subject), Region: "aws/eu-west-3"}
				}
				if verdict := f.check(t, fleet.Moment{}, question)[0]; outcome(verdict) != want {
					t.Errorf("%s: %s, want %s", subject, outcome(verdict), want)
				}
			}
			f.everything(t)
		})
	}
}

// everything asks all there is to ask; nothing may fail but by an error.
func (f *fixture) everything(t tester) {
	t.Helper()
	report, err := f.office.Audit(t.Context(), fleet.Moment{})
	if err != nil {
		t.Fatal(err)
	}
	for _, place := range report.Places {
		if len(place.Verdicts) == 0 {
			t.Errorf("no verdict about %+v", place.Located)
		}
	}
	for _, name := range []string{"patients", "pages"} {
		if _, err := f.office.History(t.Context(), fleet.Moment{}, name); err != nil {
			t.Errorf("history: %v", err)
		}
		if _, err := f.office.Find(t.Context(), fleet.Moment{}, fleet.Question{Subject: of(name), Facet: fleet.FacetStorage}, true); err != nil {
			t.Errorf("find: %v", err)
		}
	}
	if _, err := f.office.Report(t.Context(), fleet.Moment{}, "report", actor, "1.0.0"); err != nil {
		t.Errorf("report: %v", err)
	}
	if _, err := f.office.Diff(t.Context(), fleet.Moment{}, nil, []fleet.Ref{{Kind: fleet.KindResidencyPolicy, Name: "open-data"}}); err != nil {
		t.Errorf("diff: %v", err)
	}
	if _, _, err := f.office.Decide(t.Context(), fleet.Act{Kind: "onboard", Actor: actor, Region: "aws/eu-west-3"}); err != nil {
		wantKind(t, err, fleet.ErrDenied)
	}
}

// A placement that cannot be read is a place out of line, not one left out.
func TestBadPlacementIsAViolation(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.put(t, raw(fleet.KindPlacement, "c/Pod/n/p", `{"facets":7}`))
	report, err := f.office.Audit(t.Context(), fleet.Moment{})
	if err != nil || report.Violations != 1 || outcome(report.Places[0].Verdicts[0]) != "no meridian/bad-document" || report.Places[0].Placement != "c/Pod/n/p" {
		t.Errorf("%+v, %v", report, err)
	}
}

// Time that a clock lost does not make what was just recorded disappear.
func TestClockBehindTheInventory(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.apply(t, dataset("pages", "{classes: [personal.eu]}"))
	f.apply(t, dataset("pages", "{classes: [public]}"))
	slow := compliance.New(compliance.Config{Store: f.store, Catalog: catalog, Now: func() time.Time { return time.Now().Add(-time.Hour) }})
	verdicts, err := slow.Check(t.Context(), fleet.Moment{}, []fleet.Question{{Subject: of("pages"), Facet: fleet.FacetStorage, Region: "aws/us-east-1"}})
	if err != nil || outcome(verdicts[0]) != "yes open-data/anywhere" {
		t.Errorf("%+v, %v", verdicts, err)
	}
}

// FuzzDocuments: whatever a document in the inventory says, answers come
// without a panic, and a document that is not understood never permits.
func FuzzDocuments(f *testing.F) {
	for kind := range fuzzedKinds {
		f.Add(uint8(kind), `{}`)
		f.Add(uint8(kind), `{"version":"1","effective":{"from":"2020-01-01"},"appliesTo":{"classes":["public"]},"rules":[{"name":"r","facets":["storage"],"allowOnly":{"anywhere":true}}]}`)
		f.Add(uint8(kind), `{"classes":["public"],"bindings":[{"name":"a","facets":["storage"],"region":"aws/us-east-1","geoRedundant":true,"from":"2020-02-29","until":"2020-02-30"}],"since":"9999-12-31","facets":["storage"],"subject":{"kind":"Workload","name":"patients"}}`)
		f.Add(uint8(kind), `{"subject":{"kind":"Dataset","name":"patients"},"facets":["storage"],"region":"//","from":"x","policy":"p","rule":"r","until":"2030-01-01","reason":"r","scope":{"except":{"except":{}}}}`)
		f.Add(uint8(kind), `{"members":[{"group":"EEA"},{"country":"DE","from":"2030-01-01","until":"2020-01-01"}],"inherits":["public"],"facts":{"certifications":{"value":null}},"data":[{"classes":[""]}]}`)
	}
	f.Fuzz(func(t *testing.T, kind uint8, spec string) {
		if !json.Valid([]byte(spec)) || strings.ContainsRune(spec, 0) {
			t.Skip()
		}
		fixture := newFixture(t)
		fixture.apply(t, dataset("patients", "{classes: [personal.eu], "+binding("region: aws/eu-west-3")+"}")+dataset("pages", "{classes: [public]}"))
		name := []string{"patients", "pages", "EEA", "aws/eu-west-3"}[len(spec)%4]
		_, err := fixture.store.Apply(t.Context(), actor, []fleet.Resource{raw(fuzzedKinds[int(kind)%len(fuzzedKinds)], name, spec)}, inventory.ApplyOptions{})
		if err != nil {
			t.Skip()
		}
		fixture.everything(t)
		fixture.check(t, fleet.Moment{}, fleet.Question{Subject: of(fmt.Sprint(name)), Facet: fleet.FacetStorage, Region: "aws/us-east-1", GeoRedundant: true})
	})
}

var fuzzedKinds = []fleet.Kind{
	fleet.KindResidencyPolicy, fleet.KindJurisdictionGroup, fleet.KindDataClass, fleet.KindDataset, fleet.KindWorkload,
	fleet.KindRegion, fleet.KindException, fleet.KindPlacement, fleet.KindDecision,
}
