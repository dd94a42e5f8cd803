package baseline

import (
	"context"
	"errors"
	"io"
	"net"
	"net/url"
	"sync"
	"testing"
	"time"

	"k8s.io/client-go/rest"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// gate is a way to an API server that can be shut, which also cuts the
// connections that are open.
type gate struct {
	address, target string

	mu       sync.Mutex
	listener net.Listener
	open     map[net.Conn]bool
}

func newGate(t *testing.T, config *rest.Config) (*gate, *rest.Config) {
	t.Helper()
	target, err := url.Parse(config.Host)
	if err != nil {
		t.Fatal(err)
	}
	g := &gate{address: "127.0.0.1:0", target: target.Host, open: map[net.Conn]bool{}}
	g.unlock(t)
	t.Cleanup(g.shut)
	through := rest.CopyConfig(config)
	through.Host = "https://" + g.address
	return g, through
}

func (g *gate) unlock(t *testing.T) {
	t.Helper()
	listener, err := net.Listen("tcp", g.address)
	if err != nil {
		t.Error(err)
		return
	}
	g.mu.Lock()
	g.listener, g.address = listener, listener.Addr().String()
	g.mu.Unlock()
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go g.carry(client)
		}
	}()
}

func (g *gate) carry(client net.Conn) {
	server, err := net.Dial("tcp", g.target)
	if err != nil {
		_ = client.Close()
		return
	}
	g.mu.Lock()
	g.open[client], g.open[server] = true, true
	g.mu.Unlock()
	go func() { _, _ = io.Copy(server, client); _ = server.Close() }()
	_, _ = io.Copy(client, server)
	_ = client.Close()
}

func (g *gate) shut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	_ = g.listener.Close()
	for connection := range g.open {
		_ = connection.Close()
	}
	g.open = map[net.Conn]bool{}
}

func testUnreachable(t *testing.T, l *live) {
	gate, config := newGate(t, l.config)
	cluster := connectTo(t, config)
	resolved := load(t, "unreachable", "1.0.0", namespaceYAML("unreachable")+configMapYAML("unreachable", "a", "1"))
	if _, err := cluster.Plan(t.Context(), resolved); err != nil {
		t.Fatal(err)
	}
	gate.shut()
	_, applyErr := cluster.Apply(t.Context(), resolved, ApplyOptions{})
	_, planErr := cluster.Plan(t.Context(), resolved)
	_, driftErr := cluster.Drift(t.Context(), resolved)
	for what, err := range map[string]error{"apply": applyErr, "plan": planErr, "drift": driftErr} {
		if !errors.Is(err, fleet.ErrUnavailable) {
			t.Errorf("%s: want ErrUnavailable, got %v", what, err)
		}
	}
}

// testServerGoesAway loses the API server while a run waits for readiness.
func testServerGoesAway(t *testing.T, l *live) {
	const ns = "goes-away"
	gate, config := newGate(t, l.config)
	cluster := connectTo(t, config)
	resolved := load(t, ns, "1.0.0", namespaceYAML(ns)+deploymentYAML(ns, "stuck", "nodeSelector: {planet: mars}"))
	started := time.Now()
	_, err := cluster.Apply(t.Context(), resolved, ApplyOptions{ReadyTimeout: 5 * time.Minute, OnProgress: func(progress Progress) {
		if progress.Step == StepWaiting {
			gate.shut()
		}
	}})
	if !errors.Is(err, fleet.ErrUnavailable) || time.Since(started) > time.Minute {
		t.Errorf("want ErrUnavailable soon, got %v after %s", err, time.Since(started))
	}
}

// testServerComesBack loses it for a moment, which the run outlives.
func testServerComesBack(t *testing.T, l *live) {
	const ns = "comes-back"
	gate, config := newGate(t, l.config)
	cluster := connectTo(t, config)
	manifests := namespaceYAML(ns)
	for _, name := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} {
		manifests += configMapYAML(ns, name, "1")
	}
	ready := make(chan struct{})
	resolved := resolve(t, bundleOf(t, baselineYAML(`
  - name: main
    kind: add-on
    source: {manifests: main.yaml}
    ready:
    - {resource: configmaps, namespace: comes-back, name: awaited, check: object.data.key == "go"}
`)+"-- main.yaml --\n"+manifests))
	go func() {
		<-ready
		gate.shut()
		l.create(t, ns, "awaited", "go", nil)
		gate.unlock(t)
	}()
	result, err := cluster.Apply(t.Context(), resolved, ApplyOptions{ReadyTimeout: time.Minute, OnProgress: func(progress Progress) {
		if progress.Step == StepWaiting {
			close(ready)
		}
	}})
	if err != nil || result.Created != 9 {
		t.Errorf("got %+v, %v", result, err)
	}
}

func testCancelled(t *testing.T, l *live) {
	ctx, cancel := context.WithCancel(t.Context())
	resolved := load(t, "cancelled", "1.0.0", namespaceYAML("cancelled")+deploymentYAML("cancelled", "stuck", "nodeSelector: {planet: mars}"))
	_, err := l.Apply(ctx, resolved, ApplyOptions{OnProgress: func(progress Progress) {
		if progress.Step == StepWaiting {
			cancel()
		}
	}})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("want the cancellation itself, got %v", err)
	}
}
