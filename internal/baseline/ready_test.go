package baseline

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

func deploymentYAML(namespace, name string, extra string) string {
	return fmt.Sprintf(`---
apiVersion: apps/v1
kind: Deployment
metadata: {namespace: %[1]s, name: %[2]s}
spec:
  replicas: 1
  selector: {matchLabels: {app: %[2]s}}
  template:
    metadata: {labels: {app: %[2]s}}
    spec:
      %[3]s
      containers: [{name: main, image: registry.example/main:1}]
`, namespace, name, extra)
}

func testNeverReady(t *testing.T, l *live) {
	const ns = "never-ready"
	resolved := load(t, ns, "1.0.0", namespaceYAML(ns)+deploymentYAML(ns, "stuck", `nodeSelector: {planet: mars}`)+configMapYAML(ns, "fine", "1"))
	result, err := l.Apply(t.Context(), resolved, ApplyOptions{ReadyTimeout: 4 * time.Second})
	if !errors.Is(err, fleet.ErrWaiting) {
		t.Fatalf("want ErrWaiting, got %v", err)
	}
	if len(result.Blocking) != 1 {
		t.Fatalf("blocking: %+v", result.Blocking)
	}
	blocking := result.Blocking[0]
	if blocking.Component != "main" || blocking.Object != "Deployment.apps never-ready/stuck" ||
		!strings.Contains(blocking.Reason, "0 of 1 pods are available") || !strings.Contains(blocking.Reason, "cannot be scheduled") {
		t.Errorf("blocking: %+v", blocking)
	}
	if !strings.Contains(err.Error(), "Deployment.apps never-ready/stuck") {
		t.Errorf("the error does not name the object: %v", err)
	}
	findings, err := l.Drift(t.Context(), resolved)
	if err != nil || len(findings) != 1 || findings[0].Type != DriftUnhealthy {
		t.Errorf("drift: %+v %v", findings, err)
	}
}

func testFailed(t *testing.T, l *live) {
	const ns = "failed"
	manifests := namespaceYAML(ns) + strings.Replace(deploymentYAML(ns, "late", `nodeSelector: {planet: mars}`), "replicas: 1", "replicas: 1\n  progressDeadlineSeconds: 1", 1)
	started := time.Now()
	result, err := l.Apply(t.Context(), load(t, ns, "1.0.0", manifests), ApplyOptions{ReadyTimeout: 5 * time.Minute})
	if !errors.Is(err, fleet.ErrNeedsHuman) || time.Since(started) > time.Minute {
		t.Fatalf("want an early ErrNeedsHuman, got %v after %s", err, time.Since(started))
	}
	if len(result.Blocking) != 1 || !strings.Contains(result.Blocking[0].Reason, "Progress deadline exceeded") {
		t.Errorf("blocking: %+v", result.Blocking)
	}
}

func testDependencies(t *testing.T, l *live) {
	bundle := func(check string) *Resolved {
		return resolve(t, bundleOf(t, `
-- baseline.yaml --
apiVersion: meridian.dev/v1alpha1
kind: Baseline
metadata: {name: depends, version: 1.0.0}
spec:
  components:
  - name: last
    kind: add-on
    dependsOn: [first]
    source: {manifests: last.yaml}
  - name: first
    kind: add-on
    source: {manifests: first.yaml}
    ready:
    - {resource: configmaps, namespace: depends, name: first, check: object.data.key == "`+check+`"}
    - {resource: configmaps, namespace: depends, name: outside, check: object.data.key == "go"}
-- first.yaml --
`+namespaceYAML("depends")+configMapYAML("depends", "first", "1")+`
-- last.yaml --
`+configMapYAML("depends", "last", "1")))
	}
	result, err := l.Apply(t.Context(), bundle("2"), ApplyOptions{ReadyTimeout: time.Second})
	if !errors.Is(err, fleet.ErrWaiting) || len(result.Blocking) != 2 ||
		result.Blocking[0] != (fleet.BlockingObject{Component: "first", Object: "ConfigMap depends/first", Reason: `check "object.data.key == \"2\"" is false`}) ||
		result.Blocking[1] != (fleet.BlockingObject{Component: "first", Object: "ConfigMap depends/outside", Reason: "it does not exist"}) {
		t.Fatalf("got %v, blocking %+v", err, result.Blocking)
	}
	if got := l.value(t, "depends", "last"); got != "(gone)" {
		t.Error("a component was applied before its dependency was ready")
	}
	// The other object is made while the run waits for it.
	waiting := make(chan struct{})
	go func() {
		<-waiting
		l.create(t, "depends", "outside", "go", nil)
	}()
	_, err = l.Apply(t.Context(), bundle("1"), ApplyOptions{ReadyTimeout: time.Minute, OnProgress: func(progress Progress) {
		if progress.Component == "first" && progress.Step == StepWaiting {
			close(waiting)
		}
	}})
	if err != nil || l.value(t, "depends", "last") != "1" {
		t.Errorf("not finished once the dependency was ready: %v", err)
	}
}
