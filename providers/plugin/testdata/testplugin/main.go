// Command testplugin is a provider plugin that misbehaves when asked to, for
// the tests of both sides of the plugin boundary. Plugins inherit no
// environment, so that requests tell it what to do.
package main

import (
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"syscall"

	"github.com/meridian-fleet/meridian/providers"
	"github.com/meridian-fleet/meridian/providers/plugin"
)

type provider struct{}

func (provider) Describe(context.Context) (providers.Description, error) {
	region := func(id, city, country string) providers.Region {
		return providers.Region{
			ID: id, DisplayName: city, City: city, Country: country, Partition: "test", Operator: "Testers",
			Jurisdictions: []string{country}, OptIn: country == "CH",
		}
	}
	return providers.Description{
		Name: "test", Version: "1.2.3", Capabilities: []providers.Capability{providers.CapabilityClusters},
		Regions: []providers.Region{
			region("eu-central-1", "Frankfurt", "DE"), region("eu-central-2", "Zurich", "CH"), region("us-west-2", "Portland", "US"),
		},
	}, nil
}

func (provider) ClusterObjects(ctx context.Context, request providers.ClusterRequest) (providers.ClusterObjects, error) {
	var answer any = request
	switch behaviour := request.Account["behaviour"]; behaviour {
	case "", "answer":
	case "panic":
		panic("as asked")
	case "die once": // at the first call that names this marker
		if err := os.Mkdir(request.Account["marker"], 0o700); err == nil {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			<-ctx.Done()
		}
	case "wait":
		<-ctx.Done()
		return providers.ClusterObjects{}, ctx.Err()
	case "environment":
		answer = os.Environ()
	case "log":
		slog.Warn("said by the plugin", "cluster", request.Name)
	case "faults":
		var faults providers.Faults
		faults.Add("one", "is wrong")
		faults.Add("two", "is wrong too")
		return providers.ClusterObjects{}, faults.Err("cluster request for %s", request.Name)
	case "no JSON":
		return providers.ClusterObjects{Objects: []json.RawMessage{[]byte("{")}}, nil
	default:
		return providers.ClusterObjects{}, providers.Errorf(providers.Kind(behaviour), "as asked")
	}
	raw, err := json.Marshal(answer)
	return providers.ClusterObjects{Objects: []json.RawMessage{raw}}, err
}

func main() { plugin.Serve(provider{}) }
