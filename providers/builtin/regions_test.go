package builtin_test

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meridian-fleet/meridian/providers"
	"github.com/meridian-fleet/meridian/providers/aws"
	"github.com/meridian-fleet/meridian/providers/azure"
	"github.com/meridian-fleet/meridian/providers/builtin"
	"github.com/meridian-fleet/meridian/providers/gcp"
	"github.com/meridian-fleet/meridian/providers/providertest"
)

// oneWayPairs are the regions whose pair copies elsewhere, or nowhere.
var oneWayPairs = map[string][]string{
	"azure": {"brazilsouth", "brazilsoutheast", "indiasouthcentral", "usgovarizona", "westindia", "westus3"},
}

// What is built in is what the plugins say, so that an answer given without a
// daemon is the daemon's.
func TestBuiltInIsWhatThePluginsDescribe(t *testing.T) {
	t.Parallel()
	built, err := builtin.Regions()
	if err != nil {
		t.Fatal(err)
	}
	plugins := map[string]providers.Provider{}
	for name, open := range map[string]func() (providers.Provider, error){
		"aws":   func() (providers.Provider, error) { return aws.New() },
		"azure": func() (providers.Provider, error) { return azure.New() },
		"gcp":   func() (providers.Provider, error) { return gcp.New() },
	} {
		if plugins[name], err = open(); err != nil {
			t.Fatal(err)
		}
	}
	if len(built) != len(plugins) {
		t.Errorf("%d catalogs are built in, there are %d plugins", len(built), len(plugins))
	}
	for name, plugin := range plugins {
		description, err := plugin.Describe(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(description.Regions, built[name]); diff != "" || len(built[name]) < 30 {
			t.Errorf("%s, -plugin +built in:\n%s", name, diff)
		}
		for _, fault := range providertest.CheckDescription(description, oneWayPairs[name]) {
			t.Errorf("%s: %v", name, fault)
		}
	}
}

// Data that crosses a border on its way to a replica is what a catalog must
// not hide.
func TestPairsAcrossBorders(t *testing.T) {
	t.Parallel()
	built, err := builtin.Regions()
	if err != nil {
		t.Fatal(err)
	}
	countries := map[string]string{}
	for _, region := range built["azure"] {
		countries[region.ID] = region.Country
	}
	abroad := map[string]string{}
	for _, region := range built["azure"] {
		if region.ReplicaPair != "" && countries[region.ReplicaPair] != region.Country {
			abroad[region.ID] = region.ReplicaPair
		}
	}
	for region, pair := range map[string]string{
		"brazilsouth": "southcentralus", "southeastasia": "eastasia", "eastasia": "southeastasia",
		"northeurope": "westeurope", "westeurope": "northeurope",
	} {
		if abroad[region] != pair {
			t.Errorf("%s is paired with %q abroad, want %s", region, abroad[region], pair)
		}
	}
}

// A region without a pair must not get one, and a pair that is not mutual must
// not be turned round: both would move data on paper that stays where it is.
func TestRegionsWithoutAPairAndOneWayPairs(t *testing.T) {
	t.Parallel()
	built, err := builtin.Regions()
	if err != nil {
		t.Fatal(err)
	}
	pairs := map[string]string{}
	var alone []string
	for _, region := range built["azure"] {
		pairs[region.ID] = region.ReplicaPair
		if region.ReplicaPair == "" {
			alone = append(alone, region.ID)
		}
	}
	if diff := cmp.Diff([]string{
		"austriaeast", "belgiumcentral", "chilecentral", "denmarkeast", "indonesiacentral", "israelcentral", "italynorth",
		"malaysiawest", "mexicocentral", "newzealandnorth", "polandcentral", "qatarcentral", "spaincentral",
	}, alone); diff != "" {
		t.Errorf("regions of Azure without a pair, -want +got:\n%s", diff)
	}
	for region, pair := range map[string]string{
		"brazilsouth": "southcentralus", "brazilsoutheast": "brazilsouth", "indiasouthcentral": "centralindia",
		"usgovarizona": "usgovtexas", "westindia": "southindia", "westus3": "eastus",
		"southcentralus": "northcentralus", "centralindia": "southindia", "usgovtexas": "usgovvirginia", "southindia": "centralindia", "eastus": "westus",
	} {
		if pairs[region] != pair {
			t.Errorf("%s is paired with %q, want %s", region, pairs[region], pair)
		}
	}
	for _, provider := range []string{"aws", "gcp"} {
		for _, region := range built[provider] {
			if region.ReplicaPair != "" {
				t.Errorf("%s/%s has the pair %q: these clouds copy nothing unasked", provider, region.ID, region.ReplicaPair)
			}
		}
	}
}

// Who runs a region, and whose law reaches it besides that of the place.
func TestOperatorsOfSovereignRegions(t *testing.T) {
	t.Parallel()
	built, err := builtin.Regions()
	if err != nil {
		t.Fatal(err)
	}
	for provider, operators := range map[string]map[string][2]string{
		"aws": {
			"cn-north-1": {"Beijing Sinnet Technology Co., Ltd.", "CN"}, "cn-northwest-1": {"Ningxia Western Cloud Data Technology Co., Ltd.", "CN"},
			"eusc-de-east-1": {"AWS European Sovereign Cloud GmbH", "DE US"}, "us-gov-west-1": {"Amazon Web Services, Inc.", "US"},
		},
		"azure": {"chinanorth3": {"Shanghai Blue Cloud Technology Co., Ltd. (21Vianet)", "CN"}, "germanywestcentral": {"Microsoft Ireland Operations Limited", "DE IE US"}},
		"gcp":   {"me-central2": {"CNTXT with Google Cloud EMEA Limited", "IE SA US"}, "europe-west3": {"Google Cloud EMEA Limited", "DE IE US"}},
	} {
		for _, region := range built[provider] {
			got := [2]string{region.Operator, strings.Join(region.Jurisdictions, " ")}
			if want, asked := operators[region.ID]; asked && got != want {
				t.Errorf("%s/%s is run by %q, want %q", provider, region.ID, got, want)
			}
		}
	}
}

func TestNoCloudSDKIsLinked(t *testing.T) {
	t.Parallel()
	listed, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "github.com/meridian-fleet/meridian/providers/builtin").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, sdk := range []string{"github.com/aws/", "github.com/Azure/", "cloud.google.com/", "google.golang.org/", "sigs.k8s.io/cluster-api", "k8s.io/client-go"} {
		if strings.Contains(string(listed), "\n"+sdk) {
			t.Errorf("%s… is linked", sdk)
		}
	}
	if !strings.Contains(string(listed), "meridian/providers/azure/regions") {
		t.Errorf("not the dependencies of the catalogs: %s", listed)
	}
}
