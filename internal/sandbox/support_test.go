package sandbox_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/clientcmd"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/meridian-fleet/meridian/internal/sandbox"
	"github.com/meridian-fleet/meridian/internal/sandbox/boxtest"
)

// patience is how long a test waits for anything on a busy machine.
const patience = 2 * time.Minute

// launch starts a sandbox for a test, and makes sure that it ends with it.
func launch(t testing.TB, stateDir string) *sandbox.Client {
	t.Helper()
	running, err := tryLaunch(t, stateDir)
	if err != nil {
		content, _ := os.ReadFile(filepath.Join(stateDir, logFile))
		t.Errorf("launch: %v\n%s", err, content)
		t.FailNow()
	}
	return running
}

const logFile = "sandbox.log"

func tryLaunch(t testing.TB, stateDir string) (*sandbox.Client, error) {
	executable, err := os.Executable()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	t.Cleanup(func() { end(t, stateDir) })
	return sandbox.Launch(ctx, sandbox.LaunchConfig{
		StateDir: stateDir, LogFile: filepath.Join(stateDir, logFile),
		Command: []string{executable, asSandbox, stateDir, boxtest.Binary(t)},
	})
}

// end kills what a failed test left; a test that stops its sandbox leaves nothing.
func end(t testing.TB, stateDir string) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	running, err := sandbox.Find(ctx, stateDir)
	if err != nil {
		return
	}
	if err := running.Stop(ctx); err != nil {
		t.Errorf("stop: %v", err)
	}
}

// eventually waits until check returns nil, and fails the test with its last error.
func eventually(t testing.TB, what string, check func(ctx context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	for {
		err := check(ctx)
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("%s: %v", what, err)
		case <-ticker.C:
		}
	}
}

func connect(t testing.TB, kubeconfig []byte) client.Client {
	t.Helper()
	config, err := clientcmd.RESTConfigFromKubeConfig(kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	config.QPS = -1
	scheme := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), clusterv1.AddToScheme(scheme)); err != nil {
		t.Fatal(err)
	}
	api, err := client.New(config, client.Options{Scheme: scheme})
	if err != nil {
		t.Fatal(err)
	}
	return api
}

func management(t testing.TB, running *sandbox.Client) client.Client {
	t.Helper()
	kubeconfig, err := os.ReadFile(running.ManagementKubeconfig())
	if err != nil {
		t.Fatal(err)
	}
	return connect(t, kubeconfig)
}

// workload connects to a cluster as its users do: by its kubeconfig Secret.
func workload(t testing.TB, api client.Client, cluster string) client.Client {
	t.Helper()
	secret := &corev1.Secret{}
	if err := api.Get(t.Context(), client.ObjectKey{Namespace: "default", Name: cluster + "-kubeconfig"}, secret); err != nil {
		t.Fatal(err)
	}
	return connect(t, secret.Data["value"])
}

// manifests reads the objects of a file of the clouds' test data, with a cluster
// name in place of the one in the file.
func manifests(t testing.TB, flavor, cluster string) []*unstructured.Unstructured {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("clouds", "testdata", flavor+".yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var objects []*unstructured.Unstructured
	for document := range strings.SplitSeq(strings.ReplaceAll(string(content), flavor+"-one", cluster), "\n---\n") {
		encoded, err := yaml.YAMLToJSON([]byte(document))
		if err != nil {
			t.Fatal(err)
		}
		object := &unstructured.Unstructured{}
		if err := object.UnmarshalJSON(encoded); err != nil {
			t.Fatal(err)
		}
		objects = append(objects, object)
	}
	return objects
}

func create(t testing.TB, api client.Client, objects []*unstructured.Unstructured) {
	t.Helper()
	for _, object := range objects {
		if err := api.Create(t.Context(), object); err != nil {
			t.Fatalf("create %s %s: %v", object.GetKind(), object.GetName(), err)
		}
	}
}

// available checks that a Cluster is what its users wait for, with the nodes of
// its pool in place.
func available(ctx context.Context, api client.Client, name string, replicas int) error {
	cluster := &clusterv1.Cluster{}
	if err := api.Get(ctx, client.ObjectKey{Namespace: "default", Name: name}, cluster); err != nil {
		return err
	}
	for _, condition := range []string{clusterv1.AvailableCondition, clusterv1.ClusterRemoteConnectionProbeCondition} {
		if err := isTrue(cluster, condition); err != nil {
			return err
		}
	}
	pool := &clusterv1.MachinePool{}
	if err := api.Get(ctx, client.ObjectKey{Namespace: "default", Name: name + "-gpu"}, pool); err != nil {
		return err
	}
	if pool.Status.Phase != string(clusterv1.MachinePoolPhaseRunning) || len(pool.Status.NodeRefs) != replicas {
		return fmt.Errorf("pool %s is %s with %d nodes, want Running with %d", pool.Name, pool.Status.Phase, len(pool.Status.NodeRefs), replicas)
	}
	return nil
}

func isTrue(cluster *clusterv1.Cluster, name string) error {
	for _, condition := range cluster.Status.Conditions {
		if condition.Type == name && condition.Status == "True" {
			return nil
		}
		if condition.Type == name {
			return fmt.Errorf("Cluster %s: %s is %s: %s", cluster.Name, name, condition.Status, condition.Message)
		}
	}
	return fmt.Errorf("Cluster %s has no condition %s", cluster.Name, name)
}

// gone checks that an object does not exist.
func gone(ctx context.Context, api client.Client, object client.Object) error {
	err := api.Get(ctx, client.ObjectKeyFromObject(object), object)
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	return fmt.Errorf("%T %s is still there", object, object.GetName())
}

// exists reports whether a process exists and has not ended.
func exists(pid int) bool {
	if errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
		return false
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !strings.Contains(string(status), ") Z ")
}
