package worker_test

import (
	"context"
	"encoding/json"
	"sync"

	"github.com/meridian-fleet/meridian/internal/capi"
	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/providers"
	"github.com/meridian-fleet/meridian/workflows/activities"
)

// world stands in for clouds and clusters, below the activities' interfaces.
// Everything else in these tests is real.
type world struct {
	mutex    sync.Mutex
	clusters map[string]*machine
	present  map[string]bool // on the management cluster
	awaits   map[string]func(context.Context) error
	applies  map[string]func(context.Context) (activities.Applied, error)
	trouble  []string
}

// machine is a cluster: which baseline it has, and who works on it.
type machine struct {
	baseline string
	drifted  bool
	busy     int
}

func newWorld() *world {
	return &world{
		clusters: map[string]*machine{}, present: map[string]bool{},
		awaits:  map[string]func(context.Context) error{},
		applies: map[string]func(context.Context) (activities.Applied, error){},
	}
}

func (w *world) lock() func() {
	w.mutex.Lock()
	return w.mutex.Unlock
}

func (w *world) machine(name string) *machine {
	if w.clusters[name] == nil {
		w.clusters[name] = &machine{}
	}
	return w.clusters[name]
}

// Provider implements activities.Providers.
func (w *world) Provider(context.Context, string) (providers.Provider, error) { return w, nil }

// Region implements activities.Providers.
func (w *world) Region(_ context.Context, name string) (providers.Region, error) {
	_, id, _ := fleet.SplitRegion(name)
	return providers.Region{ID: id, Country: "DE", Partition: "aws", Operator: "AWS EMEA SARL", Jurisdictions: []string{"US"}}, nil
}

// Describe implements providers.Provider.
func (w *world) Describe(context.Context) (providers.Description, error) {
	return providers.Description{Name: "aws"}, nil
}

// ClusterObjects implements providers.Provider.
func (w *world) ClusterObjects(_ context.Context, request providers.ClusterRequest) (providers.ClusterObjects, error) {
	raw, err := json.Marshal(request.Name)
	return providers.ClusterObjects{Objects: []json.RawMessage{raw}}, err
}

// management is the world as activities.Management sees it.
type management struct{ *world }

func (m management) Namespace() string { return "fleet" }

func (m management) Apply(_ context.Context, objects []json.RawMessage) error {
	defer m.lock()()
	var name string
	if err := json.Unmarshal(objects[0], &name); err != nil {
		return err
	}
	m.present[name] = true
	return nil
}

func (m management) WaitReady(ctx context.Context, cluster string, onProgress func(string)) error {
	onProgress("InfrastructureReady: creating the control plane")
	unlock := m.lock()
	wait := m.awaits[cluster]
	unlock()
	if wait != nil {
		return wait(ctx)
	}
	return nil
}

func (m management) Observe(context.Context, string) (capi.Observation, error) {
	return capi.Observation{Version: "1.36.3", Endpoint: "127.0.0.1:6443"}, nil
}

func (m management) Nodes(context.Context, string) ([]capi.Node, error) {
	return []capi.Node{
		{Name: "n1", Status: fleet.NodeStatus{Ready: true, GPUs: 8, GPUProduct: "NVIDIA-H100-80GB-HBM3"}},
		{Name: "n2", Status: fleet.NodeStatus{Ready: false}},
	}, nil
}

func (m management) Delete(_ context.Context, cluster string) error {
	defer m.lock()()
	delete(m.present, cluster)
	return nil
}

// delivery is the world as activities.Baselines sees it.
type delivery struct{ *world }

func name(target activities.Target) string { return target.Bundle.Resource.Metadata.Name }

func (d delivery) Plan(_ context.Context, target activities.Target, _ bool) (activities.Planned, error) {
	defer d.lock()()
	if d.machine(target.Cluster).baseline == name(target) {
		return activities.Planned{Unchanged: 3}, nil
	}
	return activities.Planned{Create: 3, Changes: []fleet.ObjectChange{
		{Component: "guardrails", Object: "ConfigMap guardrails/limits", Action: "create"},
	}}, nil
}

func (d delivery) Apply(ctx context.Context, target activities.Target, options activities.ApplyOptions) (activities.Applied, error) {
	unlock := d.lock()
	machine, apply := d.machine(target.Cluster), d.applies[target.Cluster]
	if machine.busy++; machine.busy > 1 {
		d.trouble = append(d.trouble, "two changes at once on "+target.Cluster)
	}
	unlock()
	defer func() {
		defer d.lock()()
		machine.busy--
	}()
	options.OnProgress("guardrails: applying (3 objects)")
	if apply != nil {
		if applied, err := apply(ctx); err != nil {
			return applied, err
		}
	}
	defer d.lock()()
	machine.baseline, machine.drifted = name(target), false
	return activities.Applied{Created: 3}, nil
}

func (d delivery) Data(activities.Target) ([]fleet.ClassUse, error) { return nil, nil }

// Holdings implements activities.Holder.
func (w *world) Holdings(context.Context, string) (activities.Holdings, error) {
	return activities.Holdings{}, nil
}

func (d delivery) Drift(_ context.Context, target activities.Target) ([]fleet.DriftFinding, error) {
	defer d.lock()()
	if machine := d.machine(target.Cluster); machine.baseline != name(target) || machine.drifted {
		return []fleet.DriftFinding{{Component: "guardrails", Object: "ConfigMap guardrails/limits", Type: "missing"}}, nil
	}
	return nil, nil
}
