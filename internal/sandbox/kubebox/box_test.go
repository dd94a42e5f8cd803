package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/meridian-fleet/meridian/internal/sandbox/kubebox/internal/command"
)

// asKubebox makes this test binary kubebox itself, so that what is tested is
// what is here, and in processes that can be killed.
const asKubebox = "KUBEBOX_TEST_AS_KUBEBOX"

func TestMain(m *testing.M) {
	if os.Getenv(asKubebox) != "" {
		os.Exit(command.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

// process is a running kubebox.
type process struct {
	*exec.Cmd
	lifeline io.Closer
	endpoint string
	exited   chan error
}

// run starts kubebox in a directory and returns when it serves.
func run(t *testing.T, dir string, arguments ...string) *process {
	t.Helper()
	p := &process{Cmd: kubebox(t, dir, append(arguments, "--exit-with-stdin")...), exited: make(chan error, 1)}
	input, err := p.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	output, err := p.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	p.lifeline = input
	t.Cleanup(func() {
		p.lifeline.Close()
		_ = p.Process.Kill() // it may have ended
	})
	var ready command.Ready
	if err := json.NewDecoder(bufio.NewReader(output)).Decode(&ready); err != nil {
		t.Fatalf("kubebox %s: %v", arguments[0], err)
	}
	p.endpoint = ready.Endpoint
	go func() { p.exited <- p.Wait() }()
	return p
}

func kubebox(t *testing.T, dir string, arguments ...string) *exec.Cmd {
	c := exec.Command(os.Args[0], arguments...)
	c.Env = append(os.Environ(), asKubebox+"=1")
	c.Dir = dir
	log, err := os.OpenFile(filepath.Join(dir, arguments[0]+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		log.Close()
		if t.Failed() {
			content, _ := os.ReadFile(log.Name())
			lines := strings.Split(string(content), "\n")
			t.Logf("end of %s:\n%s", log.Name(), strings.Join(lines[max(0, len(lines)-15):], "\n"))
		}
	})
	c.Stderr = log
	return c
}

// kill ends a process as a crash does.
func (p *process) kill(t *testing.T) {
	t.Helper()
	if err := p.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-p.exited
}

func startEtcd(t *testing.T, dir string) *process {
	return run(t, dir, "etcd", "--data-dir", "data", "--socket", "etcd.sock")
}

// cluster is a running cluster and clients to it.
type cluster struct {
	*testing.T
	*process
	dir    string
	typed  kubernetes.Interface
	any    dynamic.Interface
	mapper meta.RESTMapper
}

func startCluster(t *testing.T, dir, name string, arguments ...string) *cluster {
	t.Helper()
	arguments = append([]string{"cluster", "--name", name, "--dir", name, "--etcd", "etcd.sock"}, arguments...)
	c := &cluster{T: t, dir: dir, process: run(t, dir, arguments...)}
	config, err := clientcmd.BuildConfigFromFlags("", filepath.Join(dir, name, "admin.kubeconfig"))
	if err != nil {
		t.Fatal(err)
	}
	config.QPS = -1
	if c.typed, err = kubernetes.NewForConfig(config); err != nil {
		t.Fatal(err)
	}
	if c.any, err = dynamic.NewForConfig(config); err != nil {
		t.Fatal(err)
	}
	c.mapper = restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(c.typed.Discovery()))
	return c
}

// apply applies the documents of a file of testdata.
func (c *cluster) apply(file string) {
	c.Helper()
	content, err := os.Open(filepath.Join("testdata", file))
	if err != nil {
		c.Fatal(err)
	}
	defer content.Close()
	documents := yaml.NewYAMLOrJSONDecoder(content, 4096)
	for {
		object := &unstructured.Unstructured{}
		if err := documents.Decode(&object.Object); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			c.Fatalf("%s: %v", file, err)
		}
		c.applyObject(object)
	}
}

func (c *cluster) applyObject(object *unstructured.Unstructured) {
	c.Helper()
	kind := object.GroupVersionKind()
	mapping, err := c.mapper.RESTMapping(kind.GroupKind(), kind.Version)
	if err != nil {
		c.Fatal(err)
	}
	var resource dynamic.ResourceInterface = c.any.Resource(mapping.Resource)
	if object.GetNamespace() != "" {
		resource = c.any.Resource(mapping.Resource).Namespace(object.GetNamespace())
	}
	options := metav1.ApplyOptions{FieldManager: "test", Force: true}
	if _, err := resource.Apply(c.Context(), object.GetName(), object, options); err != nil {
		c.Fatalf("%s %s: %v", kind.Kind, object.GetName(), err)
	}
}

func (c *cluster) eventually(what string, holds func(ctx context.Context) (bool, error)) {
	c.Helper()
	var lastError error
	err := wait.PollUntilContextTimeout(c.Context(), 50*time.Millisecond, 60*time.Second, true, func(ctx context.Context) (bool, error) {
		var done bool
		done, lastError = holds(ctx)
		return done && lastError == nil, nil
	})
	if err != nil {
		c.Fatalf("waiting for %s: %v (%v)", what, err, lastError)
	}
}
