package compliance_test

import (
	"strings"
	"testing"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

func (f *fixture) find(t tester, question fleet.Question, all bool) []fleet.Possible {
	t.Helper()
	found, err := f.office.Find(t.Context(), fleet.Moment{}, question, all)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestFindRanksWhatIsNear(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.apply(t, dataset("patients", "{classes: [personal.eu], "+binding("region: aws/eu-central-1")+"}")+workload("portal", "{datasets: [{dataset: patients}]}"))
	found := f.find(t, fleet.Question{Subject: of("patients"), Facet: fleet.FacetStorage}, false)
	var regions []string
	for i, one := range found {
		if !one.Allowed || one.Rank != i+1 || one.Verdict.Region != one.Region || one.Why == "" {
			t.Errorf("place %d: %+v", i, one)
		}
		regions = append(regions, one.Region)
	}
	order := strings.Join(regions, " ") + " "
	if !strings.HasPrefix(order, "aws/eu-central-1 ") {
		t.Errorf("not where it is already: %s", order)
	}
	earlier := func(first, second string) {
		if a, b := strings.Index(order, first+" "), strings.Index(order, second+" "); a < 0 || b < 0 || a > b {
			t.Errorf("%s is not before %s in %s", first, second, order)
		}
	}
	earlier("aws/eusc-de-east-1", "azure/germanywestcentral") // the country, then the provider
	earlier("gcp/europe-west3", "aws/eu-west-3")              // the country before the provider
	earlier("aws/eu-north-1", "azure/westeurope")             // the provider before the distance
	earlier("azure/westeurope", "azure/northeurope")          // the distance: Amsterdam, then Dublin
	if why := found[0].Why; why != "it is there already, same country, same provider, no obligations" {
		t.Errorf("why: %s", why)
	}
	for _, one := range found {
		if one.Region == "aws/eu-west-3" && one.Why != "same provider, about 474 km away, 1 obligation" {
			t.Errorf("why %s: %s", one.Region, one.Why)
		}
	}
	portal := f.find(t, fleet.Question{Subject: running("portal")}, false)
	if len(portal) == 0 || portal[0].Region != "aws/eu-central-1" {
		t.Errorf("a workload is best where its data is, not %+v", portal)
	}
}

func TestAPlaceOutOfLineIsNoReasonToGoThere(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.apply(t, dataset("patients", "{classes: [personal.eu], bindings: [{name: home, facets: [storage], region: aws/eu-central-1}, "+
		"{name: astray, facets: [storage], region: azure/francecentral}, {name: beyond, facets: [backup], region: azure/switzerlandnorth}]}"))
	seen := false
	for _, one := range f.find(t, fleet.Question{Subject: of("patients"), Facet: fleet.FacetProcessing}, false) {
		there := strings.HasPrefix(one.Why, "it is there already")
		seen = seen || one.Region == "azure/switzerlandnorth"
		if lawfullyThere := one.Region == "aws/eu-central-1" || one.Region == "azure/francecentral"; there != lawfullyThere {
			t.Errorf("%s: %s", one.Region, one.Why)
		}
	}
	if !seen {
		t.Error("processing is not allowed where the stray backup is")
	}
}

func TestFindSaysWhyNot(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.apply(t, dataset("patients", "{classes: [personal.eu]}"))
	f.exception(t, "x", fleet.ExceptionSpec{
		Policy: "eu-personal-data", Rule: "stays", Subject: of("patients"), Facets: []fleet.Facet{fleet.FacetStorage},
		Scope: fleet.Scope{Countries: []string{"BR"}}, Period: fleet.Period{Until: "9000-01-01"},
	}, day(t, "2024-01-01"))
	question := fleet.Question{Subject: of("patients"), Facet: fleet.FacetStorage}
	allowed, all := f.find(t, question, false), f.find(t, question, true)
	regions, err := f.office.Catalog(t.Context(), fleet.Moment{})
	if err != nil || len(all) != len(regions) {
		t.Errorf("%d of %d regions; %v", len(all), len(regions), err)
	}
	for i, one := range all {
		switch {
		case one.Allowed != (i < len(allowed)):
			t.Errorf("%s at place %d of %d allowed", one.Region, i, len(allowed))
		case !one.Allowed && (one.Rank != 0 || !strings.Contains(one.Why, "(eu-personal-data/stays)")):
			t.Errorf("%s: rank %d, %s", one.Region, one.Rank, one.Why)
		case one.Allowed && one.Country == "BR" && (i < len(allowed)-4 || !strings.Contains(one.Why, "only by exception x until 9000-01-01")):
			t.Errorf("%s at place %d: %s", one.Region, i, one.Why)
		}
	}
	if none := f.find(t, fleet.Question{Subject: of("nothing"), Facet: fleet.FacetStorage}, false); len(none) != 0 {
		t.Errorf("what nobody declared may be in %+v", none)
	}
}
