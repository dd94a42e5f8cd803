package compliance_test

import (
	"sync"
	"testing"
	"time"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

func TestCheck(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.apply(t, dataset("patients", `{classes: [personal.eu.health], bindings: [{name: main, facets: [storage], region: aws/eu-central-1}]}`)+
		dataset("pages", `{classes: [public]}`)+
		dataset("unlabelled", `{classes: []}`)+
		dataset("payments", `{classes: [payments.in], bindings: [{name: mumbai, facets: [storage], region: aws/ap-south-1}]}`)+
		workload("portal", `{datasets: [{dataset: patients}, {dataset: pages, facets: [processing, storage]}], classes: [{classes: [public], facets: [telemetry]}]}`)+
		workload("idle", `{}`))
	for name, test := range map[string]struct {
		question fleet.Question
		want     string
	}{
		"at home":                 {fleet.Question{Subject: of("patients"), Facet: fleet.FacetStorage, Region: "aws/eu-west-3"}, "yes eu-personal-data/stays"},
		"abroad":                  {fleet.Question{Subject: of("patients"), Facet: fleet.FacetStorage, Region: "aws/us-east-1"}, "no eu-personal-data/stays"},
		"by class":                {fleet.Question{Classes: []string{"personal.eu"}, Facet: fleet.FacetKey, Region: "country/CH"}, "no eu-personal-data/stays"},
		"people in a country":     {fleet.Question{Classes: []string{"personal.eu"}, Facet: fleet.FacetProcessing, Region: "country/CH"}, "yes eu-personal-data/processing"},
		"no rule about a facet":   {fleet.Question{Subject: of("patients"), Facet: fleet.FacetTransit, Region: "aws/eu-west-3"}, "no meridian/no-rule"},
		"a pair abroad":           {fleet.Question{Subject: of("patients"), Facet: fleet.FacetBackup, Region: "azure/germanywestcentral", GeoRedundant: true, Pair: "azure/brazilsouth"}, "no eu-personal-data/stays"},
		"a pair at home":          {fleet.Question{Subject: of("patients"), Facet: fleet.FacetBackup, Region: "azure/westeurope", GeoRedundant: true}, "yes eu-personal-data/stays"},
		"a copy stays":            {fleet.Question{Subject: of("payments"), Facet: fleet.FacetBackup, Region: "aws/us-east-1"}, "yes in-payments/local-copy"},
		"the copy leaves":         {fleet.Question{Subject: of("payments"), Facet: fleet.FacetBackup, Region: "aws/us-east-1", Leaving: []string{"aws/ap-south-1"}}, "no in-payments/local-copy"},
		"an unknown region":       {fleet.Question{Subject: of("pages"), Facet: fleet.FacetStorage, Region: "aws/atlantis-1"}, "no meridian/unknown-region"},
		"an unknown dataset":      {fleet.Question{Subject: of("nothing"), Facet: fleet.FacetStorage, Region: "aws/eu-west-3"}, "no meridian/unknown-dataset"},
		"an unknown workload":     {fleet.Question{Subject: running("nothing"), Region: "aws/eu-west-3"}, "no meridian/unknown-workload"},
		"an unknown class":        {fleet.Question{Classes: []string{"secret"}, Facet: fleet.FacetStorage, Region: "aws/eu-west-3"}, "no meridian/unknown-class"},
		"no class":                {fleet.Question{Subject: of("unlabelled"), Facet: fleet.FacetStorage, Region: "aws/eu-west-3"}, "no meridian/unclassified"},
		"no subject":              {fleet.Question{Facet: fleet.FacetStorage, Region: "aws/eu-west-3"}, "no meridian/unclassified"},
		"a workload at home":      {fleet.Question{Subject: running("portal"), Region: "aws/eu-west-3"}, "yes eu-personal-data/processing open-data/anywhere"},
		"a workload abroad":       {fleet.Question{Subject: running("portal"), Region: "aws/us-east-1"}, "no eu-personal-data/processing"},
		"one facet of a workload": {fleet.Question{Subject: running("portal"), Facet: fleet.FacetTelemetry, Region: "aws/us-east-1"}, "yes open-data/anywhere"},
		"a facet nobody declared": {fleet.Question{Subject: running("portal"), Facet: fleet.FacetBackup, Region: "aws/us-east-1"}, "no eu-personal-data/stays"},
		"before the EEA was left": {fleet.Question{Subject: of("patients"), Facet: fleet.FacetStorage, Region: "aws/eu-west-2", At: day(t, "2021-01-01T12:00:00Z")}, "yes eu-personal-data/stays"},
		"after the EEA was left":  {fleet.Question{Subject: of("patients"), Facet: fleet.FacetStorage, Region: "aws/eu-west-2", At: day(t, "2021-01-02")}, "no eu-personal-data/stays"},
		"nothing but a workload":  {fleet.Question{Subject: running("idle"), Region: "aws/us-east-1"}, "yes"},
		"before there was a law":  {fleet.Question{Subject: of("patients"), Facet: fleet.FacetStorage, Region: "aws/eu-west-3", At: day(t, "2018-05-24T21:59:59Z")}, "no meridian/no-rule"},
		"its first moment":        {fleet.Question{Subject: of("patients"), Facet: fleet.FacetStorage, Region: "aws/eu-west-3", At: day(t, "2018-05-24T22:00:00Z")}, "yes eu-personal-data/stays"},
	} {
		verdict := f.check(t, fleet.Moment{}, test.question)[0]
		if got := outcome(verdict); got != test.want {
			t.Errorf("%s: %s, want %s\n%+v", name, got, test.want, verdict.Findings)
		}
		if verdict.At.IsZero() || verdict.Region != test.question.Region || !test.question.At.IsZero() && !verdict.At.Equal(test.question.At) {
			t.Errorf("%s: the verdict is about %+v", name, verdict.Question)
		}
	}
}

// A verdict about the present takes what was recorded a moment before into
// account.
func TestCheckSeesWhatWasJustWritten(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	question := fleet.Question{Subject: of("notes"), Facet: fleet.FacetStorage, Region: "aws/us-east-1"}
	for i, test := range []struct{ class, want string }{
		{"public", "yes open-data/anywhere"}, {"personal.eu", "no eu-personal-data/stays"}, {"public", "yes open-data/anywhere"},
	} {
		f.apply(t, dataset("notes", "{classes: ["+test.class+"]}"))
		if got := outcome(f.check(t, fleet.Moment{}, question)[0]); got != test.want {
			t.Errorf("write %d: %s, want %s", i, got, test.want)
		}
	}
}

func TestConcurrentQuestionsAndWrites(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.apply(t, dataset("notes", "{classes: [public]}"))
	var group sync.WaitGroup
	for i := range 4 {
		group.Go(func() {
			for j := range 8 {
				if i == 0 {
					f.apply(t, dataset("notes", "{classes: ["+[]string{"public", "personal.eu"}[j%2]+"], bindings: [{name: a, facets: [storage], region: aws/us-east-1}]}"))
					continue
				}
				f.check(t, fleet.Moment{}, fleet.Question{Subject: of("notes"), Facet: fleet.FacetStorage, Region: "aws/us-east-1"})
				if _, err := f.office.Audit(t.Context(), fleet.Moment{AsOf: time.Now().Add(time.Hour)}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
}
