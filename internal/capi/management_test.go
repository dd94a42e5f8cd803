package capi_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/yaml"

	"github.com/meridian-fleet/meridian/internal/capi"
	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/sandbox/boxtest"
	"github.com/meridian-fleet/meridian/internal/sandbox/clusterapi"
)

// TestManagement goes through a cluster's life on a real API server with the
// real schemas of Cluster API and its providers. What controllers would report
// is written by the test.
func TestManagement(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	config := boxtest.Start(t, 1)[0]
	if err := clusterapi.InstallDefinitions(ctx, config); err != nil {
		t.Fatal(err)
	}
	management, err := capi.Connect(config, "fleet")
	if err != nil {
		t.Fatal(err)
	}
	if err := management.Ping(ctx); err != nil {
		t.Fatal(err)
	}
	s := &site{T: t, ctx: ctx, config: config, management: management, objects: renderedObjects(t)}
	s.client, err = dynamic.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Run("refuses what the schema refuses, and writes nothing", s.refuses)
	t.Run("applies, also again", s.applies)
	t.Run("waits, and says for what", s.waits)
	t.Run("gives up with the provider", s.givesUp)
	t.Run("observes", s.observes)
	t.Run("hands out credentials", s.credentials)
	t.Run("deletes everything", s.deletes)
}

type site struct {
	*testing.T

	ctx        context.Context
	config     *rest.Config
	client     dynamic.Interface
	management *capi.Management
	objects    []json.RawMessage
}

// renderedObjects are those the aws provider is held to.
func renderedObjects(t *testing.T) []json.RawMessage {
	t.Helper()
	content, err := os.ReadFile("../../providers/aws/testdata/cluster.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var objects []json.RawMessage
	for _, document := range strings.Split(string(content), "\n---\n") {
		raw, err := yaml.YAMLToJSON([]byte(strings.TrimPrefix(document, "---\n")))
		if err != nil {
			t.Fatal(err)
		}
		objects = append(objects, raw)
	}
	return objects
}

const name = "aws-test"

var (
	clusters      = schema.GroupVersionResource{Group: "cluster.x-k8s.io", Version: "v1beta2", Resource: "clusters"}
	pools         = schema.GroupVersionResource{Group: "cluster.x-k8s.io", Version: "v1beta2", Resource: "machinepools"}
	controlPlanes = schema.GroupVersionResource{Group: "controlplane.cluster.x-k8s.io", Version: "v1beta2", Resource: "awsmanagedcontrolplanes"}
)

func (s *site) list(t *testing.T, resource schema.GroupVersionResource) []unstructured.Unstructured {
	t.Helper()
	list, err := s.client.Resource(resource).Namespace("fleet").List(s.ctx, metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return list.Items
}

// report writes a status as a controller would.
func (s *site) report(t *testing.T, resource schema.GroupVersionResource, object string, status map[string]any) {
	t.Helper()
	patch, err := json.Marshal(map[string]any{"status": status})
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.client.Resource(resource).Namespace("fleet").Patch(s.ctx, object, "application/merge-patch+json", patch, metav1.PatchOptions{}, "status")
	if err != nil {
		t.Fatal(err)
	}
}

func (s *site) refuses(t *testing.T) {
	bad := json.RawMessage(`{"apiVersion":"cluster.x-k8s.io/v1beta2","kind":"MachinePool","metadata":{"name":"bad"},"spec":{"clusterName":""}}`)
	broken := append(slices.Clone(s.objects), bad)
	err := s.management.Apply(s.ctx, broken)
	if !errors.Is(err, fleet.ErrInvalid) || !strings.Contains(err.Error(), "clusterName") {
		t.Errorf("got %v", err)
	}
	if left := s.list(t, clusters); len(left) != 0 {
		t.Errorf("%d clusters were written", len(left))
	}
	if err := s.management.Apply(s.ctx, s.objects[:1]); !errors.Is(err, fleet.ErrInvalid) {
		t.Errorf("objects without a Cluster: %v", err)
	}
	if err := s.management.WaitReady(s.ctx, "nowhere", func(string) {}); !errors.Is(err, fleet.ErrNotFound) {
		t.Errorf("waiting for nothing: %v", err)
	}
}

func (s *site) applies(t *testing.T) {
	for range 2 {
		if err := s.management.Apply(s.ctx, s.objects); err != nil {
			t.Fatal(err)
		}
	}
	if got := len(s.list(t, clusters)) + len(s.list(t, controlPlanes)); got != 2 {
		t.Errorf("%d objects", got)
	}
}

func readyConditions() []any {
	var conditions []any
	for _, kind := range []string{"InfrastructureReady", "ControlPlaneInitialized", "ControlPlaneAvailable", "RemoteConnectionProbe"} {
		conditions = append(conditions, map[string]any{
			"type": kind, "status": "True", "reason": "Ready", "message": "", "lastTransitionTime": "2026-01-01T00:00:00Z",
		})
	}
	return conditions
}

func (s *site) waits(t *testing.T) {
	var mutex sync.Mutex
	var said []string
	waiting := make(chan string, 100)
	ended := make(chan error, 1)
	go func() {
		ended <- s.management.WaitReady(s.ctx, name, func(text string) {
			mutex.Lock()
			defer mutex.Unlock()
			said = append(said, text)
			waiting <- text
		})
	}()
	if first := <-waiting; first != "InfrastructureReady: not reported yet" {
		t.Errorf("waits for %q", first)
	}
	s.report(t, clusters, name, map[string]any{"conditions": readyConditions()})
	if second := <-waiting; !strings.HasPrefix(second, "MachinePool aws-test-") {
		t.Errorf("waits for %q", second)
	}
	for _, pool := range s.list(t, pools) {
		replicas, _, err := unstructured.NestedInt64(pool.Object, "spec", "replicas")
		if err != nil {
			t.Fatal(err)
		}
		var refs []any
		for range replicas {
			refs = append(refs, map[string]any{"kind": "Node", "name": "n"})
		}
		s.report(t, pools, pool.GetName(), map[string]any{"phase": "Running", "nodeRefs": refs})
	}
	if err := <-ended; err != nil {
		t.Errorf("%v after %q", err, said)
	}
}

func (s *site) givesUp(t *testing.T) {
	s.report(t, clusters, name, map[string]any{"deprecated": map[string]any{"v1beta1": map[string]any{"failureMessage": "no quota left"}}})
	err := s.management.WaitReady(s.ctx, name, func(string) {})
	if !errors.Is(err, fleet.ErrNeedsHuman) || !strings.Contains(err.Error(), "no quota left") {
		t.Errorf("got %v", err)
	}
	s.report(t, clusters, name, map[string]any{"deprecated": nil})
}

func (s *site) observes(t *testing.T) {
	observation, err := s.management.Observe(s.ctx, name)
	if err != nil || observation.Version != "1.36.3" || len(observation.Failures) != 0 {
		t.Errorf("%+v, %v", observation, err)
	}
	if _, err := s.management.Observe(s.ctx, "nowhere"); !errors.Is(err, fleet.ErrNotFound) {
		t.Errorf("got %v", err)
	}
}

func (s *site) credentials(t *testing.T) {
	if _, err := s.management.Kubeconfig(s.ctx, name); !errors.Is(err, fleet.ErrNotFound) {
		t.Errorf("got %v", err)
	}
	core, err := kubernetes.NewForConfig(s.config)
	if err != nil {
		t.Fatal(err)
	}
	put := func(cluster, kubeconfig string) {
		secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: cluster + "-kubeconfig"}, Data: map[string][]byte{"value": []byte(kubeconfig)}}
		if _, err := core.CoreV1().Secrets("fleet").Create(s.ctx, secret, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	put(name, `{"apiVersion":"v1","kind":"Config","current-context":"c","contexts":[{"name":"c","context":{"cluster":"c","user":"u"}}],
		"clusters":[{"name":"c","cluster":{"server":"https://127.0.0.1:1"}}],"users":[{"name":"u","user":{"token":"secret-token"}}]}`)
	config, err := s.management.RESTConfig(s.ctx, name)
	if err != nil || config.Host != "https://127.0.0.1:1" || config.QPS != -1 {
		t.Errorf("%v, %v", config, err)
	}
	put("broken", "token: secret-token {")
	if _, err := s.management.RESTConfig(s.ctx, "broken"); err == nil || strings.Contains(err.Error(), "secret-token") {
		t.Errorf("got %v", err)
	}
	if _, err := s.management.Nodes(s.ctx, name); !errors.Is(err, fleet.ErrUnavailable) {
		t.Errorf("nodes of a cluster that does not answer: %v", err)
	}
}

func (s *site) deletes(t *testing.T) {
	for range 2 { // the second finds nothing, and that is fine
		if err := s.management.Delete(s.ctx, name); err != nil {
			t.Fatal(err)
		}
	}
	for _, resource := range []schema.GroupVersionResource{clusters, pools, controlPlanes} {
		if left := s.list(t, resource); len(left) != 0 {
			t.Errorf("%d %s are left", len(left), resource.Resource)
		}
	}
}
