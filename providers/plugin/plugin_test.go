package plugin_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/meridian-fleet/meridian/providers"
	"github.com/meridian-fleet/meridian/providers/plugin"
)

func asking(behaviour string) providers.ClusterRequest {
	return providers.ClusterRequest{Name: "c", Account: map[string]string{"behaviour": behaviour}}
}

func TestRequestAndAnswerCrossUnchanged(t *testing.T) {
	t.Parallel()
	sent := providers.ClusterRequest{
		Name: "c", Namespace: "n", Region: "r", KubernetesVersion: "1.36.3",
		Labels: map[string]string{"a": "b"}, Account: map[string]string{"behaviour": "answer"},
		NodePools: []providers.NodePool{
			{Name: "p", Replicas: 3, InstanceType: "i", Labels: map[string]string{"c": "d"}, Taints: []providers.Taint{{Key: "k", Value: "v", Effect: "NoExecute"}}},
			{Name: "g", GPU: &providers.GPU{Product: "NVIDIA-L4", Count: 2, Memory: "24Gi", DriverVersion: "580.95.05"}},
		},
	}
	objects, err := dial(t, "testplugin").ClusterObjects(t.Context(), sent)
	if err != nil {
		t.Fatal(err)
	}
	var received providers.ClusterRequest
	if err := json.Unmarshal(objects.Objects[0], &received); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(sent, received); diff != "" {
		t.Errorf("the plugin got another request (-sent +received):\n%s", diff)
	}
}

func TestDescriptionCrosses(t *testing.T) {
	t.Parallel()
	client := dial(t, "testplugin")
	description, err := client.Describe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := providers.Region{
		ID: "eu-central-2", DisplayName: "Zurich", City: "Zurich", Country: "CH", Partition: "test", Operator: "Testers",
		Jurisdictions: []string{"CH"}, OptIn: true,
	}
	got, _ := description.Region("eu-central-2")
	if diff := cmp.Diff(want, got); diff != "" || description.Version != "1.2.3" || !description.Has(providers.CapabilityClusters) {
		t.Errorf("got %+v\n%s", description, diff)
	}
	if client.ProtocolVersion() != plugin.ProtocolVersion {
		t.Errorf("negotiated version %d", client.ProtocolVersion())
	}
}

func TestErrorsKeepTheirKind(t *testing.T) {
	t.Parallel()
	client := dial(t, "testplugin")
	for _, kind := range []providers.Kind{
		providers.KindInvalid, providers.KindNotFound, providers.KindDenied, providers.KindConflict,
		providers.KindUnavailable, providers.KindUnsupported, providers.KindInternal,
	} {
		_, err := client.ClusterObjects(t.Context(), asking(string(kind)))
		if !errors.Is(err, kind) || errors.Is(err, plugin.ErrLost) {
			t.Errorf("want kind %q, got %v", kind, err)
		}
	}
}

func TestFaultsCross(t *testing.T) {
	t.Parallel()
	_, err := dial(t, "testplugin").ClusterObjects(t.Context(), asking("faults"))
	var withFaults *providers.Error
	if !errors.As(err, &withFaults) {
		t.Fatalf("got %v", err)
	}
	want := []providers.Fault{{Field: "one", Message: "is wrong"}, {Field: "two", Message: "is wrong too"}}
	if diff := cmp.Diff(want, withFaults.Faults); diff != "" {
		t.Error(diff)
	}
}

func TestAPanicFailsOneCallOnly(t *testing.T) {
	t.Parallel()
	client := dial(t, "testplugin")
	if _, err := client.ClusterObjects(t.Context(), asking("panic")); !errors.Is(err, providers.KindInternal) {
		t.Errorf("want kind internal, got %v", err)
	}
	if _, err := client.ClusterObjects(t.Context(), asking("answer")); err != nil || client.Exited() {
		t.Errorf("the plugin did not outlive the panic: %v", err)
	}
}

func TestAnswersThatAreNoJSONAreRefused(t *testing.T) {
	t.Parallel()
	if _, err := dial(t, "testplugin").ClusterObjects(t.Context(), asking("no JSON")); !errors.Is(err, providers.KindInternal) {
		t.Errorf("want kind internal, got %v", err)
	}
}

func TestCallersMayGiveUp(t *testing.T) {
	t.Parallel()
	client := dial(t, "testplugin")
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := client.ClusterObjects(ctx, asking("wait")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("want %v, got %v", context.DeadlineExceeded, err)
	}
}

func TestNoEnvironmentIsInherited(t *testing.T) {
	t.Setenv("MERIDIAN_TEST_SECRET", "do not pass on")
	objects, err := dial(t, "testplugin").ClusterObjects(t.Context(), asking("environment"))
	if err != nil {
		t.Fatal(err)
	}
	var environment []string
	if err := json.Unmarshal(objects.Objects[0], &environment); err != nil {
		t.Fatal(err)
	}
	if len(environment) == 0 {
		t.Error("the plugin says it has no environment at all")
	}
	for _, variable := range environment {
		name, _, _ := strings.Cut(variable, "=")
		if !strings.HasPrefix(name, "PLUGIN_") && !strings.HasPrefix(name, "MERIDIAN_PROVIDER_") {
			t.Errorf("the plugin has %s", name)
		}
	}
}

func TestAnotherChecksumIsDenied(t *testing.T) {
	t.Parallel()
	sum := sha256.Sum256([]byte("another binary"))
	client, err := plugin.Dial(plugin.Options{Path: filepath.Join(binaries, "testplugin"), SHA256: sum[:]})
	if !errors.Is(err, providers.KindDenied) || client != nil {
		t.Errorf("want kind denied, got %v, %v", client, err)
	}
}

func TestWhatIsNoPluginIsRefused(t *testing.T) {
	t.Parallel()
	script := filepath.Join(t.TempDir(), "script")
	if err := os.WriteFile(script, []byte("#!/bin/sh\necho hello\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, path := range map[string]string{
		"another protocol version": filepath.Join(binaries, "futureplugin"),
		"a script":                 script,
	} {
		_, err := plugin.Dial(plugin.Options{Path: path, SHA256: sumOf(path), Logger: slog.New(slog.DiscardHandler)})
		if !errors.Is(err, providers.KindUnsupported) {
			t.Errorf("%s: want kind unsupported, got %v", name, err)
		}
	}
}

func TestALostPluginIsToldFromAnUnavailableCloud(t *testing.T) {
	t.Parallel()
	client := dial(t, "testplugin")
	request := asking("die once")
	request.Account["marker"] = filepath.Join(t.TempDir(), "marker")
	_, err := client.ClusterObjects(t.Context(), request)
	if !errors.Is(err, plugin.ErrLost) || !errors.Is(err, providers.KindUnavailable) {
		t.Errorf("want %v of kind unavailable, got %v", plugin.ErrLost, err)
	}
	if err := client.Ping(t.Context()); !errors.Is(err, plugin.ErrLost) {
		t.Errorf("ping: want %v, got %v", plugin.ErrLost, err)
	}
	waitGone(t, client.PID())
}

func TestKillEndsThePluginAndIsRepeatable(t *testing.T) {
	t.Parallel()
	client := dial(t, "testplugin")
	if err := client.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	pid := client.PID()
	client.Kill()
	if !gone(pid) {
		t.Errorf("plugin %d outlived Kill", pid)
	}
	client.Kill()
}

// A host that dies without a word must leave neither process nor files.
func TestAPluginEndsWithItsHost(t *testing.T) {
	t.Parallel()
	temporary, err := os.MkdirTemp("", "host") // t.TempDir is too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(temporary) })
	host, pid := startHost(t, temporary)
	if gone(pid) {
		t.Fatalf("plugin %d is not there", pid)
	}
	if err := host.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = host.Wait()
	waitGone(t, pid)
	if left, _ := filepath.Glob(filepath.Join(temporary, "*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestThePluginsLogReachesTheHosts(t *testing.T) {
	t.Parallel()
	path := filepath.Join(binaries, "testplugin")
	var log lockedBuffer
	client, err := plugin.Dial(plugin.Options{
		Path: path, SHA256: sumOf(path), Logger: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.ClusterObjects(t.Context(), asking("log")); err != nil {
		t.Fatal(err)
	}
	client.Kill() // which reads the log to its end
	if !strings.Contains(log.String(), "said by the plugin") {
		t.Errorf("the line is not in the log:\n%s", log.String())
	}
}

type lockedBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

var _ io.Writer = (*lockedBuffer)(nil)

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.String()
}
