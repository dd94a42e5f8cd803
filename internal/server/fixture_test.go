package server_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"connectrpc.com/connect"

	fleetv1 "github.com/meridian-fleet/meridian/api/fleet/v1"
	"github.com/meridian-fleet/meridian/api/fleet/v1/fleetv1connect"
	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/inventory"
	"github.com/meridian-fleet/meridian/internal/server"
)

// fixture is a server over real HTTP with a real inventory; only workflows,
// catalogs and clusters are stood in for.
type fixture struct {
	fleetv1connect.FleetServiceClient // of the administrator

	t         *testing.T
	url       string
	store     inventory.Store
	workflows *fakeWorkflows
	server    *server.Server
	log       *strings.Builder
	checkErr  error
	residency *fakeResidency
	tokens    *server.Tokens
	evidence  *fakeEvidence
	clock     time.Time // the server's time; the true one when zero
	meanwhile func()    // another fleetd's act, between the look at what a write or a deletion rests on and it
}

// shared is the inventory as the server sees it, which is not its only writer.
type shared struct {
	inventory.Store
	with *fixture
}

func (s shared) Delete(ctx context.Context, actor string, ref fleet.Ref, unless *inventory.Moved) error {
	s.with.actMeanwhile()
	return s.Store.Delete(ctx, actor, ref, unless)
}

func (s shared) ApplyAll(ctx context.Context, actor string, resources []fleet.Resource, bundles []inventory.Bundle, options inventory.ApplyOptions) ([]inventory.Outcome, error) {
	s.with.actMeanwhile()
	return s.Store.ApplyAll(ctx, actor, resources, bundles, options)
}

func (f *fixture) actMeanwhile() {
	if act := f.meanwhile; act != nil {
		f.meanwhile = nil
		act()
	}
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	t.Parallel()
	store, err := inventory.OpenSQLite(t.Context(), filepath.Join(t.TempDir(), "inventory.db"))
	if err != nil {
		t.Fatal(err)
	}
	f := &fixture{t: t, store: store, workflows: &fakeWorkflows{running: map[string]any{}}, log: &strings.Builder{}, residency: &fakeResidency{}, evidence: &fakeEvidence{}}
	tokens := server.NewTokens()
	f.tokens = tokens
	for _, role := range server.Roles {
		tokens.Add(string(role)+"-token", server.Identity{User: "a " + string(role), Roles: []server.Role{role}})
	}
	tokens.Add("nobody-token", server.Identity{User: "nobody"})
	tokens.Add("approver-2-token", server.Identity{User: "another approver", Roles: []server.Role{server.Approver}})
	tokens.Add("approver-once-more-token", server.Identity{User: "A APPROVER", Roles: []server.Role{server.Approver}})
	tokens.Add("shouting-token", server.Identity{User: "EVERYTHING", Roles: server.Roles})
	tokens.Add("everything-token", server.Identity{User: "everything", Roles: server.Roles})
	f.server = server.New(server.Config{
		Store: shared{store, f}, Workflows: f.workflows, Authenticator: tokens, Kubeconfigs: kubeconfigs{}, Metrics: server.NewMetrics(store),
		DecodeBundle: decodeBundle, RegionKnown: func(_ context.Context, name string) (bool, error) { return !strings.HasSuffix(name, "-9"), nil },
		Checks:  []server.Check{{Name: "inventory", Ask: store.Ping}, {Name: "temporal", Ask: func(context.Context) error { return f.checkErr }}},
		Version: server.Version{Version: "1.2.3"}, Logger: slog.New(slog.NewTextHandler(&lockedWriter{to: f.log}, nil)),
		KeepAlive: 50 * time.Millisecond, Residency: f.residency, Evidence: f.evidence, Rules: rules{}, Now: f.now,
	})
	listener := httptest.NewServer(f.server.Handler())
	t.Cleanup(func() {
		f.server.EndWatches()
		listener.Close()
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	f.url = listener.URL
	f.FleetServiceClient = f.as("admin-token")
	return f
}

func (f *fixture) now() time.Time {
	if f.clock.IsZero() {
		return time.Now()
	}
	return f.clock
}

type lockedWriter struct {
	mutex sync.Mutex
	to    *strings.Builder
}

func (w *lockedWriter) Write(p []byte) (int, error) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	return w.to.Write(p)
}

// as is a client with a bearer token.
func (f *fixture) as(token string) fleetv1connect.FleetServiceClient {
	client := &http.Client{Transport: bearer(token)}
	return fleetv1connect.NewFleetServiceClient(client, f.url)
}

type bearer string

func (b bearer) RoundTrip(request *http.Request) (*http.Response, error) {
	request = request.Clone(request.Context())
	if b != "" {
		request.Header.Set("Authorization", "Bearer "+string(b))
	}
	return http.DefaultTransport.RoundTrip(request)
}

// apply applies documents and fails the test when that fails.
func (f *fixture) apply(documents string) []*fleetv1.Outcome {
	f.t.Helper()
	response, err := f.Apply(f.t.Context(), connect.NewRequest(&fleetv1.ApplyRequest{Sources: sources(documents)}))
	if err != nil {
		f.t.Fatal(err)
	}
	return response.Msg.GetOutcomes()
}

func (f *fixture) applyBundle(name, content string) error {
	_, err := f.Apply(f.t.Context(), connect.NewRequest(&fleetv1.ApplyRequest{Bundles: []*fleetv1.BundleSource{{
		Path: "bundles/" + name, Files: []*fleetv1.Source{{Path: "baseline.yaml", Content: []byte(name + "\n" + content)}},
	}}}))
	return err
}

func sources(documents string) []*fleetv1.Source {
	return []*fleetv1.Source{{Path: "fleet.yaml", Content: []byte(documents)}}
}

func (f *fixture) setStatus(kind fleet.Kind, name string, status any) {
	f.t.Helper()
	err := f.store.UpdateStatus(f.t.Context(), "test", fleet.Ref{Kind: kind, Name: name}, func(json.RawMessage) (any, error) { return status, nil })
	if err != nil {
		f.t.Fatal(err)
	}
}

func (f *fixture) resource(kind fleet.Kind, name string) fleet.Resource {
	f.t.Helper()
	resource, err := f.store.Get(f.t.Context(), fleet.Ref{Kind: kind, Name: name}, inventory.AsOf{})
	if err != nil {
		f.t.Fatal(err)
	}
	return resource
}

func (f *fixture) revision() int64 {
	f.t.Helper()
	revision, err := f.store.Revision(f.t.Context())
	if err != nil {
		f.t.Fatal(err)
	}
	return revision
}

// detail returns an error's code and what its ErrorDetail says.
func detail(t *testing.T, err error) (connect.Code, *fleetv1.ErrorDetail) {
	t.Helper()
	var failed *connect.Error
	if !errors.As(err, &failed) {
		t.Fatalf("got %v, want an error with a code", err)
	}
	for _, attached := range failed.Details() {
		value, err := attached.Value()
		if found, ok := value.(*fleetv1.ErrorDetail); err == nil && ok {
			return failed.Code(), found
		}
	}
	t.Fatalf("%v has no ErrorDetail", err)
	return 0, nil
}

// expectFailure checks an error's kind, and that its faults have the texts.
func expectFailure(t *testing.T, err error, kind *fleet.ErrorKind, texts ...string) {
	t.Helper()
	_, found := detail(t, err)
	if found.GetKind() != kind.Error() {
		t.Errorf("got kind %q, want %q: %v", found.GetKind(), kind, err)
	}
	for _, text := range texts {
		if !strings.Contains(fmt.Sprint(found.GetFaults()), text) {
			t.Errorf("no fault says %q: %v", text, found.GetFaults())
		}
	}
}

// fakeWorkflows remembers what was started and signalled, and answers what a
// test tells it to.
type fakeWorkflows struct {
	mutex    sync.Mutex
	startErr error
	running  map[string]any // id to input
	started  []string       // workflow types
	signals  []string
	result   any
}

func (w *fakeWorkflows) Start(_ context.Context, id, workflow string, input any) error {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	if _, runs := w.running[id]; w.startErr != nil || runs {
		return w.startErr
	}
	w.running[id] = input
	w.started = append(w.started, workflow)
	return nil
}

func (w *fakeWorkflows) Execute(ctx context.Context, id, workflow string, input, result any) error {
	if err := w.Start(ctx, id, workflow, input); err != nil || result == nil {
		return err
	}
	raw, err := json.Marshal(w.result)
	if err != nil {
		return err
	}
	return json.Unmarshal(raw, result)
}

func (w *fakeWorkflows) Signal(_ context.Context, id, signal string, payload any) error {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	if _, runs := w.running[id]; !runs {
		return fleet.Errorf(fleet.ErrNotFound, "no such workflow runs").On(id)
	}
	w.signals = append(w.signals, fmt.Sprintf("%s %s %+v", id, signal, payload))
	return nil
}

func (w *fakeWorkflows) ids() []string {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	var ids []string
	for id := range w.running {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

type kubeconfigs struct{}

func (kubeconfigs) Kubeconfig(_ context.Context, cluster string) ([]byte, error) {
	return []byte("kubeconfig of " + cluster), nil
}

// decodeBundle reads a bundle whose only file has its name on the first line.
func decodeBundle(path string, files map[string][]byte) (inventory.Bundle, error) {
	content := files["baseline.yaml"]
	name, _, _ := strings.Cut(string(content), "\n")
	if name == "" {
		return inventory.Bundle{}, fleet.Errorf(fleet.ErrInvalid, "no baseline.yaml").At(fleet.Position{File: path}, "")
	}
	digest := fmt.Sprintf("sha256:%064x", len(content))
	resource, err := fleet.NewResource(fleet.KindBaseline, name, fleet.BaselineSpec{}, fleet.BaselineStatus{Digest: digest})
	return inventory.Bundle{Resource: resource, Digest: digest, Content: content}, err
}

const (
	profile = `
apiVersion: meridian.dev/v1alpha1
kind: ClusterProfile
metadata: {name: small}
spec:
  kubernetesVersion: 1.36.3
  nodePools: [{name: workers, replicas: 1, instanceTypes: {aws: m6i.large, gcp: e2-standard-2}}]
---`
	region = `
apiVersion: meridian.dev/v1alpha1
kind: Region
metadata: {name: aws/eu-west-3}
spec: {profile: small}
---`
	secondRegion = `
apiVersion: meridian.dev/v1alpha1
kind: Region
metadata: {name: gcp/europe-west4}
spec: {profile: small}
---`
	cluster = `
apiVersion: meridian.dev/v1alpha1
kind: Cluster
metadata: {name: first}
spec: {region: aws/eu-west-3, profile: small}
---`
	strategy = `
apiVersion: meridian.dev/v1alpha1
kind: RolloutStrategy
metadata: {name: careful}
spec: {maxParallel: 1}
---`
)
