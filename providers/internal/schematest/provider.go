package schematest

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/meridian-fleet/meridian/providers"
)

// CheckProvider checks that what a provider renders passes the schemas: for
// the request that newRequest makes, whose second node pool has GPUs and a
// taint, for variants of it, and with each of the account settings. It checks
// too that the schemas refuse, as ones that let everything pass prove nothing.
func CheckProvider(t *testing.T, schemas Schemas, provider providers.Provider, newRequest func() providers.ClusterRequest, accounts map[string]map[string]string) {
	t.Helper()
	for name, request := range variants(newRequest, accounts) {
		for _, object := range render(t, provider, request) {
			for _, fault := range schemas.Check(object) {
				t.Errorf("%s: %v", name, fault)
			}
		}
	}
	for _, object := range render(t, provider, newRequest()) {
		broken := json.RawMessage(strings.Replace(string(object), `"spec":{`, `"spec":{"noSuchField":1,`, 1))
		if len(schemas.Check(broken)) == 0 {
			t.Errorf("the schema lets an unknown field pass:\n%s", broken)
		}
	}
}

func render(t *testing.T, provider providers.Provider, request providers.ClusterRequest) []json.RawMessage {
	t.Helper()
	objects, err := provider.ClusterObjects(t.Context(), request)
	if err != nil {
		t.Fatalf("%+v: %v", request, err)
	}
	return objects.Objects
}

func variants(newRequest func() providers.ClusterRequest, accounts map[string]map[string]string) map[string]providers.ClusterRequest {
	all := map[string]providers.ClusterRequest{"plain": newRequest()}
	vary := func(name string, change func(*providers.ClusterRequest)) {
		changed := newRequest()
		change(&changed)
		all[name] = changed
	}
	vary("driver in the image", func(r *providers.ClusterRequest) { r.NodePools[1].GPU.DriverVersion = "580.95.05" })
	vary("no nodes", func(r *providers.ClusterRequest) { r.NodePools[1].Replicas = 0 })
	vary("a taint without value", func(r *providers.ClusterRequest) { r.NodePools[1].Taints[0].Value = "" })
	for name, account := range accounts {
		vary(name, func(r *providers.ClusterRequest) { r.Account = account })
	}
	return all
}
