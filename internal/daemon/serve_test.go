package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"go.temporal.io/sdk/client"
	"go.yaml.in/yaml/v3"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	fleetv1 "github.com/meridian-fleet/meridian/api/fleet/v1"
	"github.com/meridian-fleet/meridian/api/fleet/v1/fleetv1connect"
	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/inventory/postgrestest"
	"github.com/meridian-fleet/meridian/internal/sandbox/boxtest"
	"github.com/meridian-fleet/meridian/internal/sandbox/clusterapi"
)

// TestServe runs fleetd as `fleetd serve` does, with a Temporal server in
// another process, PostgreSQL, and a management cluster that has Cluster API's
// definitions but no cloud behind them: an onboarding starts, survives a
// restart of fleetd while it waits, and is undone when it is aborted.
func TestServe(t *testing.T) {
	if testing.Short() {
		t.Skip("starts PostgreSQL, Temporal and a Kubernetes control plane")
	}
	database := postgrestest.Database(t)
	management := boxtest.Start(t, 1)[0]
	if err := clusterapi.InstallDefinitions(t.Context(), management); err != nil {
		t.Fatal(err)
	}
	file := writeServeConfig(t, database, startTemporalProcess(t), management)

	first := startServe(t, file)
	first.call(t, func(ctx context.Context, api fleetv1connect.FleetServiceClient) error {
		_, err := api.Apply(ctx, connect.NewRequest(&fleetv1.ApplyRequest{Sources: []*fleetv1.Source{{Path: "fleet.yaml", Content: []byte(oneRegion)}}}))
		return err
	})
	first.call(t, func(ctx context.Context, api fleetv1connect.FleetServiceClient) error {
		_, err := api.OnboardRegions(ctx, connect.NewRequest(&fleetv1.OnboardRegionsRequest{All: true}))
		return err
	})
	first.awaitRegion(t, fleet.RegionOnboarding, "waiting")
	expectReady(t, first.url)
	first.stop(t)

	second := startServe(t, file)
	second.awaitRegion(t, fleet.RegionOnboarding, "waiting")
	second.call(t, func(ctx context.Context, api fleetv1connect.FleetServiceClient) error {
		_, err := api.AbortOnboarding(ctx, connect.NewRequest(&fleetv1.AbortOnboardingRequest{Region: "aws/eu-west-3", Reason: "enough"}))
		return err
	})
	second.awaitRegion(t, fleet.RegionAborted, "enough")
	expectNoClusters(t, management)
	second.stop(t)
}

const oneRegion = `
apiVersion: meridian.dev/v1alpha1
kind: ClusterProfile
metadata: {name: small}
spec:
  kubernetesVersion: 1.36.3
  nodePools: [{name: workers, replicas: 1, instanceTypes: {aws: m6i.large}}]
---
apiVersion: meridian.dev/v1alpha1
kind: Region
metadata: {name: aws/eu-west-3}
spec: {profile: small}
`

func writeServeConfig(t *testing.T, database string, temporal TemporalConfig, management *rest.Config) string {
	t.Helper()
	dir := t.TempDir()
	plugins := filepath.Join(dir, "plugins")
	build := exec.Command("go", "build", "-o", plugins+"/", "github.com/meridian-fleet/meridian/cmd/fleet-provider-aws")
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build a plugin: %v\n%s", err, output)
	}
	for name, content := range map[string]string{"token": "secret", "database": database + "\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	writeKubeconfig(t, filepath.Join(dir, "management"), management)
	content, err := yaml.Marshal(map[string]any{
		"dataDir":   "data",
		"api":       map[string]any{"listen": "127.0.0.1:0", "tokens": []any{map[string]any{"user": "alice", "role": "admin", "file": "token"}}},
		"inventory": map[string]any{"postgresqlFile": "database"},
		"temporal": map[string]any{"address": temporal.Address, "tls": map[string]any{
			"certificate": temporal.TLS.Certificate, "key": temporal.TLS.Key, "ca": temporal.TLS.CA,
		}},
		"management": map[string]any{"kubeconfig": "management", "namespace": "fleet-objects"},
		"plugins":    map[string]any{"dir": "plugins"},
		"drift":      map[string]any{"interval": "1h"},
	})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "fleetd.yaml")
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func writeKubeconfig(t *testing.T, file string, config *rest.Config) {
	t.Helper()
	kubeconfig := clientcmdapi.NewConfig()
	kubeconfig.Clusters["m"] = &clientcmdapi.Cluster{Server: config.Host, CertificateAuthorityData: config.CAData, CertificateAuthority: config.CAFile, TLSServerName: config.ServerName}
	kubeconfig.AuthInfos["m"] = &clientcmdapi.AuthInfo{
		ClientCertificateData: config.CertData, ClientKeyData: config.KeyData, Token: config.BearerToken,
		ClientCertificate: config.CertFile, ClientKey: config.KeyFile, TokenFile: config.BearerTokenFile,
	}
	kubeconfig.Contexts["m"] = &clientcmdapi.Context{Cluster: "m", AuthInfo: "m"}
	kubeconfig.CurrentContext = "m"
	if err := clientcmd.WriteToFile(*kubeconfig, file); err != nil {
		t.Fatal(err)
	}
}

// serving is a fleetd that runs within the test.
type serving struct {
	url    string
	cancel context.CancelFunc
	ended  chan error
}

func startServe(t *testing.T, file string) *serving {
	t.Helper()
	config, err := Load(file)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	s := &serving{cancel: cancel, ended: make(chan error, 1)}
	ready := make(chan string, 1)
	announce := func(line string) {
		if _, url, found := strings.Cut(line, "the API is at "); found {
			ready <- url
		}
	}
	logger := slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	go func() { s.ended <- Run(ctx, config, Options{Logger: logger, Announce: announce}) }()
	select {
	case s.url = <-ready:
	case err := <-s.ended:
		t.Fatalf("it ended while it started: %v", err)
	case <-time.After(time.Minute):
		t.Fatal("it does not get ready")
	}
	return s
}

func (s *serving) stop(t *testing.T) {
	t.Helper()
	s.cancel()
	select {
	case err := <-s.ended:
		if err != nil {
			t.Errorf("it did not stop in order: %v", err)
		}
	case <-time.After(time.Minute):
		t.Error("it does not stop")
	}
}

func (s *serving) api() fleetv1connect.FleetServiceClient {
	return fleetv1connect.NewFleetServiceClient(http.DefaultClient, s.url, connect.WithInterceptors(connect.UnaryInterceptorFunc(
		func(next connect.UnaryFunc) connect.UnaryFunc {
			return func(ctx context.Context, request connect.AnyRequest) (connect.AnyResponse, error) {
				request.Header().Set("Authorization", "Bearer secret")
				return next(ctx, request)
			}
		})))
}

func (s *serving) call(t *testing.T, do func(context.Context, fleetv1connect.FleetServiceClient) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := do(ctx, s.api()); err != nil {
		t.Fatal(err)
	}
}

// awaitRegion waits until the region has a phase and says something.
func (s *serving) awaitRegion(t *testing.T, phase fleet.RegionPhase, text string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var last string
	for {
		response, err := s.api().Get(ctx, connect.NewRequest(&fleetv1.GetRequest{Kind: "Region", Name: "aws/eu-west-3"}))
		if err != nil {
			t.Fatalf("%v; last seen: %s", err, last)
		}
		raw, _ := response.Msg.GetDocument().MarshalJSON()
		var region fleet.Resource
		if err := json.Unmarshal(raw, &region); err != nil {
			t.Fatal(err)
		}
		status, _ := fleet.StatusOf[fleet.RegionStatus](region)
		last = string(region.Status)
		if status.Phase == phase && strings.Contains(status.Step+status.Message, text) {
			return
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			t.Fatalf("the region never was %s with %q: %s", phase, text, last)
		}
	}
}

func expectReady(t *testing.T, url string) {
	t.Helper()
	response, err := http.Get(url + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Errorf("/readyz answers %s", response.Status)
	}
}

func expectNoClusters(t *testing.T, config *rest.Config) {
	t.Helper()
	management, err := dynamic.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	clusters := schema.GroupVersionResource{Group: "cluster.x-k8s.io", Version: "v1beta2", Resource: "clusters"}
	left, err := management.Resource(clusters).Namespace("fleet-objects").List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if len(left.Items) > 0 {
		t.Errorf("%d clusters are left on the management cluster", len(left.Items))
	}
}

func TestTemporalThatIsNotThere(t *testing.T) {
	t.Parallel()
	_, err := (&Daemon{logger: slog.New(slog.DiscardHandler), config: Config{Temporal: TemporalConfig{Address: "127.0.0.1:1", Namespace: "fleet"}}}).
		dialTemporal(t.Context(), client.Options{})
	if !errors.Is(err, fleet.ErrUnavailable) || !strings.Contains(fmt.Sprint(err), "127.0.0.1:1") {
		t.Errorf("got %v", err)
	}
}

func TestNamespaceThatIsNotThere(t *testing.T) {
	t.Parallel()
	temporal := startTemporalProcess(t)
	temporal.Namespace = "elsewhere"
	_, err := (&Daemon{logger: slog.New(slog.DiscardHandler), config: Config{Temporal: temporal}}).dialTemporal(t.Context(), client.Options{})
	if !errors.Is(err, fleet.ErrNotFound) || !strings.Contains(fmt.Sprint(err), `"elsewhere"`) {
		t.Errorf("got %v", err)
	}
}
