package providertest

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/meridian-fleet/meridian/providers"
)

func description() providers.Description {
	region := func(id, pair string) providers.Region {
		return providers.Region{
			ID: id, DisplayName: id, City: "Frankfurt", Country: "DE", Partition: "p", Operator: "Someone GmbH",
			Jurisdictions: []string{"DE"}, ReplicaPair: pair,
		}
	}
	return providers.Description{Name: "cloud", Version: "1.0.0", Regions: []providers.Region{
		region("one", "two"), region("two", "one"), region("three", "one"), region("four", ""),
	}}
}

func TestGoodDescriptionPasses(t *testing.T) {
	t.Parallel()
	for _, fault := range CheckDescription(description(), []string{"three"}) {
		t.Error(fault)
	}
}

func TestFaultsOfDescriptionsAreFound(t *testing.T) {
	t.Parallel()
	for want, spoil := range map[string]func(*providers.Description){
		"name":                     func(d *providers.Description) { d.Name = "Big Cloud" },
		"version":                  func(d *providers.Description) { d.Version = "v1" },
		"no regions":               func(d *providers.Description) { d.Regions = nil },
		"listed twice":             func(d *providers.Description) { d.Regions[3] = d.Regions[2] },
		"city is missing":          func(d *providers.Description) { d.Regions[0].City = "" },
		"operator is missing":      func(d *providers.Description) { d.Regions[0].Operator = "" },
		`"UK" is not an ISO`:       func(d *providers.Description) { d.Regions[0].Country = "UK" },
		"the law of DE":            func(d *providers.Description) { d.Regions[0].Jurisdictions = []string{"US"} },
		`jurisdiction "EU" is not`: func(d *providers.Description) { d.Regions[0].Jurisdictions = []string{"DE", "EU"} },
		"is not listed":            func(d *providers.Description) { d.Regions[3].ReplicaPair = "five" },
		"paired with itself":       func(d *providers.Description) { d.Regions[3].ReplicaPair = "four" },
		"another partition":        func(d *providers.Description) { d.Regions[1].Partition = "q" },
		"document it as one-way":   func(d *providers.Description) { d.Regions[3].ReplicaPair = "two" },
		"is mutual, not one-way":   func(d *providers.Description) { d.Regions[0].ReplicaPair = "three" },
	} {
		spoilt := description()
		spoil(&spoilt)
		if found := CheckDescription(spoilt, []string{"three"}); !mentions(found, want) {
			t.Errorf("no fault mentions %q: %v", want, found)
		}
	}
}

var request = providers.ClusterRequest{
	Name: "c", Namespace: "n", KubernetesVersion: "1.36.3", Labels: map[string]string{"tier": "canary"},
	NodePools: []providers.NodePool{{
		Name: "p", Replicas: 2, InstanceType: "large", GPU: &providers.GPU{Product: "NVIDIA-L4", Count: 1},
	}},
}

const objectsText = `[
{"apiVersion":"infra.x/v1","kind":"Infra","metadata":{"name":"c","namespace":"n"}},
{"apiVersion":"infra.x/v1","kind":"Plane","metadata":{"name":"c","namespace":"n"},"spec":{"version":"v1.36.3"}},
{"apiVersion":"cluster.x-k8s.io/v1beta2","kind":"Cluster","metadata":{"name":"c","namespace":"n","labels":{"tier":"canary"}},"spec":{
  "infrastructureRef":{"apiGroup":"infra.x","kind":"Infra","name":"c"},"controlPlaneRef":{"apiGroup":"infra.x","kind":"Plane","name":"c"}}},
{"apiVersion":"infra.x/v1","kind":"Pool","metadata":{"name":"c-p","namespace":"n"},"spec":{"type":"large","labels":{"gpu":"NVIDIA-L4"}}},
{"apiVersion":"cluster.x-k8s.io/v1beta2","kind":"MachinePool","metadata":{"name":"c-p","namespace":"n"},"spec":{"clusterName":"c","replicas":2,
  "template":{"spec":{"version":"v1.36.3","infrastructureRef":{"apiGroup":"infra.x","kind":"Pool","name":"c-p"}}}}}
]`

func objects(t *testing.T, old, replacement string) providers.ClusterObjects {
	t.Helper()
	if !strings.Contains(objectsText, old) {
		t.Fatalf("%q is not in the objects", old)
	}
	var raw []json.RawMessage
	if err := json.Unmarshal([]byte(strings.Replace(objectsText, old, replacement, 1)), &raw); err != nil {
		t.Fatal(err)
	}
	return providers.ClusterObjects{Objects: raw}
}

func TestGoodObjectsPass(t *testing.T) {
	t.Parallel()
	for _, fault := range CheckObjects(request, objects(t, "", "")) {
		t.Error(fault)
	}
}

func TestFaultsOfObjectsAreFound(t *testing.T) {
	t.Parallel()
	for want, change := range map[string][2]string{
		"no apiVersion":                {`"infra.x/v1","kind":"Infra"`, `"v1","kind":"Infra"`},
		"namespace":                    {`"name":"c","namespace":"n"`, `"name":"c","namespace":"other"`},
		"which is not among":           {`"kind":"Infra","name":"c"`, `"kind":"Infra","name":"d"`},
		"lacks the label":              {`"tier":"canary"`, `"tier":"prod"`},
		"does not have the version":    {`{"version":"v1.36.3"}}`, `{"version":"v1.35.0"}}`},
		"want one Cluster":             {`"kind":"Cluster"`, `"kind":"Other"`},
		"want 1 MachinePools":          {`"kind":"MachinePool"`, `"kind":"Other"`},
		"does not have 2 replicas":     {`"replicas":2`, `"replicas":1`},
		`says nothing of "large"`:      {`"type":"large"`, `"type":"small"`},
		`says nothing of "NVIDIA-L4"`:  {`NVIDIA-L4`, `none`},
		`belongs to cluster "d"`:       {`"clusterName":"c"`, `"clusterName":"d"`},
		"MachinePool c-p has version":  {`"template":{"spec":{"version":"v1.36.3"`, `"template":{"spec":{"version":""`},
		"is there twice":               {`"kind":"Plane"`, `"kind":"Infra"`},
		"infrastructureRef is missing": {`"infrastructureRef":{"apiGroup":"infra.x","kind":"Pool","name":"c-p"}`, `"x":1`},
		"the Cluster is named":         {`"kind":"Cluster","metadata":{"name":"c"`, `"kind":"Cluster","metadata":{"name":"d"`},
		"controlPlaneRef is missing":   {`,"controlPlaneRef":{"apiGroup":"infra.x","kind":"Plane","name":"c"}`, ``},
	} {
		if found := CheckObjects(request, objects(t, change[0], change[1])); !mentions(found, want) {
			t.Errorf("no fault mentions %q: %v", want, found)
		}
	}
}

func mentions(faults []error, text string) bool {
	for _, fault := range faults {
		if strings.Contains(fault.Error(), text) {
			return true
		}
	}
	return false
}
