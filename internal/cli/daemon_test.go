package cli_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/meridian-fleet/meridian/internal/baseline"
	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/inventory"
	"github.com/meridian-fleet/meridian/internal/server"
)

// daemon is the real API server on a real SQLite inventory. Only what runs
// workflows is a fake that tests script.
type daemon struct {
	folder    string
	store     inventory.Store
	workflows *scripted
	address   string
	server    *server.Server
	http      *http.Server
	watches   *gauge
	answering answering
	keepAlive time.Duration
}

const (
	adminToken  = "admin-token"
	viewerToken = "viewer-token"
)

// newDaemon starts a daemon with its data and client.json in folder.
func newDaemon(ctx context.Context, folder string) (*daemon, error) {
	store, err := inventory.OpenSQLite(ctx, filepath.Join(folder, "inventory.db"))
	if err != nil {
		return nil, err
	}
	d := &daemon{folder: folder, store: store, workflows: &scripted{folder: folder, running: map[string]bool{}}, watches: newGauge()}
	if d.answering, err = newAnswering(ctx, folder, store); err != nil {
		return nil, err
	}
	if err := errors.Join(writeTokens(folder), d.start()); err != nil {
		return nil, err
	}
	client := fmt.Sprintf(`{"address": "http://%s", "token": %q}`, d.address, adminToken)
	return d, os.WriteFile(filepath.Join(folder, "client.json"), []byte(client), 0o600)
}

// start listens on the address it had before, if it had one.
func (d *daemon) start() error {
	address := d.address
	if address == "" {
		address = "127.0.0.1:0"
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	d.address = listener.Addr().String()
	tokens := server.NewTokens()
	for _, user := range users {
		tokens.Add(tokenOf(user.User), user)
	}
	d.server = server.New(server.Config{
		Store: d.store, Workflows: d.workflows, Authenticator: tokens,
		Kubeconfigs: kubeconfigs{}, DecodeBundle: decodeBundle, RegionKnown: regionKnown,
		Residency: officeAdapter{d.answering.office}, Rules: rulesAdapter{}, Evidence: d.answering.log,
		Logger: slog.New(slog.DiscardHandler), Metrics: server.NewMetrics(d.store), KeepAlive: d.keepAlive,
		Version: server.Version{Version: "1.2.3", Commit: "abc123", GoVersion: "go1.26"},
	})
	d.http = &http.Server{Handler: d.watches.count(d.server.Handler())}
	go func() { _ = d.http.Serve(listener) }()
	return nil
}

// kill drops every connection, as the death of the process does.
func (d *daemon) kill() { _ = d.http.Close() }

// shutDown ends watches in good order.
func (d *daemon) shutDown() {
	d.server.EndWatches()
	_ = d.http.Shutdown(context.Background())
}

func (d *daemon) close() {
	d.kill()
	_ = d.answering.log.Close()
	_ = d.store.Close()
}

// put makes resources what a file of YAML documents says, status included, as
// workflows do.
func (d *daemon) put(ctx context.Context, content string) error {
	for _, text := range strings.Split(content, "\n---\n") {
		var resource fleet.Resource
		if err := yaml.UnmarshalStrict([]byte(text), &resource); err != nil {
			return err
		}
		resource.APIVersion = fleet.APIVersion
		if err := d.putOne(ctx, resource); err != nil {
			return err
		}
	}
	return nil
}

const workflowActor = "rollout"

func (d *daemon) putOne(ctx context.Context, resource fleet.Resource) error {
	if resource.Metadata.Owner != "" {
		siblings, err := d.store.List(ctx, resource.Kind, inventory.Query{Owner: resource.Metadata.Owner})
		if err != nil {
			return err
		}
		all := []fleet.Resource{resource}
		for _, sibling := range siblings {
			if sibling.Metadata.Name != resource.Metadata.Name {
				all = append(all, sibling)
			}
		}
		return d.store.ReplaceOwned(ctx, workflowActor, resource.Kind, resource.Metadata.Owner, all)
	}
	if resource.Kind == fleet.KindBaseline {
		_, err := d.store.PutBundle(ctx, workflowActor, inventory.Bundle{
			Resource: resource, Digest: "sha256:" + strings.Repeat("0", 64), Content: []byte("{}"),
		}, inventory.ApplyOptions{})
		return err
	}
	status := resource.Status
	resource.Status = nil
	if len(resource.Spec) > 0 {
		if _, err := d.store.Apply(ctx, workflowActor, []fleet.Resource{resource}, inventory.ApplyOptions{}); err != nil {
			return err
		}
	}
	if len(status) == 0 {
		return nil
	}
	return d.store.UpdateStatus(ctx, workflowActor, resource.Ref(), func(json.RawMessage) (any, error) { return status, nil })
}

type kubeconfigs struct{}

func (kubeconfigs) Kubeconfig(_ context.Context, cluster string) ([]byte, error) {
	return []byte("apiVersion: v1\nkind: Config\ncurrent-context: " + cluster + "\n"), nil
}

func decodeBundle(path string, files map[string][]byte) (inventory.Bundle, error) {
	bundle, err := baseline.FromFiles(path, files)
	if err != nil {
		return inventory.Bundle{}, err
	}
	size := int64(0)
	for _, content := range files {
		size += int64(len(content))
	}
	resource, err := fleet.NewResource(fleet.KindBaseline, fleet.BaselineName(bundle.Name, bundle.Version), bundle.Spec,
		fleet.BaselineStatus{Digest: bundle.Digest, Files: len(files), Size: size})
	resource.Metadata.Version = bundle.Version
	return inventory.Bundle{Resource: resource, Digest: bundle.Digest, Content: bundle.Content()}, err
}

func regionKnown(_ context.Context, name string) (bool, error) {
	return !strings.Contains(name, "atlantis"), nil
}

// gauge counts the watches that stand, for tests that must not be early.
type gauge struct {
	mutex   sync.Mutex
	changed *sync.Cond
	open    int
}

func newGauge() *gauge {
	g := &gauge{}
	g.changed = sync.NewCond(&g.mutex)
	return g
}

func (g *gauge) count(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/Watch") {
			g.add(1)
			defer g.add(-1)
		}
		next.ServeHTTP(w, r)
	})
}

func (g *gauge) add(n int) {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	g.open += n
	g.changed.Broadcast()
}

// wait returns when so many watches stand.
func (g *gauge) wait(want int) error {
	over := time.AfterFunc(20*time.Second, func() { g.add(0) })
	defer over.Stop()
	deadline := time.Now().Add(19 * time.Second)
	g.mutex.Lock()
	defer g.mutex.Unlock()
	for g.open != want {
		if time.Now().After(deadline) {
			return fmt.Errorf("%d watches stand, not %d", g.open, want)
		}
		g.changed.Wait()
	}
	return nil
}
