package residency_test

import (
	"encoding/json"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/residency"
)

// regions are a small world: two clouds, pairs across borders, a sovereign
// operator.
var regions = []fleet.RegionFacts{
	{Provider: "aws", ID: "eu-central-1", City: "Frankfurt", Country: "DE", Partition: "aws", Operator: "Amazon Web Services EMEA SARL", Jurisdictions: []string{"LU", "US"}},
	{Provider: "aws", ID: "eu-west-3", City: "Paris", Country: "FR", Partition: "aws", Operator: "Amazon Web Services EMEA SARL", Jurisdictions: []string{"LU", "US"}},
	{Provider: "aws", ID: "us-east-1", City: "Ashburn", Country: "US", Partition: "aws", Operator: "Amazon Web Services Inc.", Jurisdictions: []string{"US"}},
	{Provider: "aws", ID: "us-gov-west-1", City: "Boardman", Country: "US", Partition: "aws-us-gov", Operator: "Amazon Web Services Inc.", Jurisdictions: []string{"US"}},
	{Provider: "aws", ID: "ap-south-1", City: "Mumbai", Country: "IN", Partition: "aws", Operator: "Amazon Web Services India", Jurisdictions: []string{"IN", "US"}},
	{Provider: "azure", ID: "brazilsouth", City: "São Paulo", Country: "BR", Partition: "azure", Operator: "Microsoft Corporation", Jurisdictions: []string{"US"}, ReplicaPair: "southcentralus"},
	{Provider: "azure", ID: "southcentralus", City: "San Antonio", Country: "US", Partition: "azure", Operator: "Microsoft Corporation", Jurisdictions: []string{"US"}, ReplicaPair: "northcentralus"},
	{Provider: "azure", ID: "germanywestcentral", City: "Frankfurt", Country: "DE", Partition: "azure", Operator: "Microsoft Corporation", Jurisdictions: []string{"US"}, ReplicaPair: "germanynorth"},
	{Provider: "azure", ID: "germanynorth", City: "Berlin", Country: "DE", Partition: "azure", Operator: "Microsoft Corporation", Jurisdictions: []string{"US"}, ReplicaPair: "germanywestcentral"},
	{Provider: "gcp", ID: "europe-west6", City: "Zürich", Country: "CH", Partition: "gcp", Operator: "Google Cloud EMEA Limited", Jurisdictions: []string{"IE", "US"}},
	{Provider: "test", ID: "north", City: "Oslo", Country: "NO", Partition: "test", Operator: "Nordic Hosting AS", Jurisdictions: []string{"NO"}, ReplicaPair: "south",
		Facts: map[string]fleet.DataFact{
			"certifications": {Value: json.RawMessage(`["C5", "HDS"]`), Source: fleet.SourceAttested, Reference: "audit 7", Until: "2026-12-31"},
			"supportedFrom":  {Value: json.RawMessage(`["NO", "SE"]`)},
		}},
	{Provider: "test", ID: "south", City: "Vienna", Country: "AT", Partition: "test", Operator: "Nordic Hosting AS", Jurisdictions: []string{"NO"}, ReplicaPair: "north"},
}

func catalogOf(t testing.TB, regions []fleet.RegionFacts) *residency.Catalog {
	t.Helper()
	catalog, err := residency.NewCatalog(regions)
	if err != nil {
		t.Fatal(err)
	}
	return catalog
}

// documents reads YAML documents; a spec is all there is besides kind and name.
func documents(t testing.TB, text string) []fleet.Resource {
	t.Helper()
	var list []struct {
		Kind fleet.Kind
		Name string
		Spec map[string]any
	}
	if err := yaml.Unmarshal([]byte(text), &list); err != nil {
		t.Fatal(err)
	}
	var resources []fleet.Resource
	for _, document := range list {
		resource, err := fleet.NewResource(document.Kind, document.Name, document.Spec, nil)
		if err != nil {
			t.Fatal(err)
		}
		resources = append(resources, resource)
	}
	return resources
}

func bookOf(t testing.TB, text string) *residency.Rulebook {
	t.Helper()
	book, err := residency.NewRulebook(documents(t, text))
	if err != nil {
		t.Fatal(err)
	}
	return book
}

func instant(t testing.TB, text string) time.Time {
	t.Helper()
	at, err := residency.ParseInstant(text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func compiled(t testing.TB, text, at string) *residency.Compiled {
	t.Helper()
	result, err := bookOf(t, text).Compile(catalogOf(t, regions), instant(t, at))
	if err != nil {
		t.Fatal(err)
	}
	return result
}
