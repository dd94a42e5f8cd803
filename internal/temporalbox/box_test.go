package temporalbox_test

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"testing"
	"time"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/temporalbox"
)

const queue = "test"

// greet waits for a name and greets it.
func greet(ctx workflow.Context) (string, error) {
	var name string
	workflow.GetSignalChannel(ctx, "name").Receive(ctx, &name)
	return "hello " + name, nil
}

func start(t *testing.T, dir string) *temporalbox.Box {
	t.Helper()
	box, err := temporalbox.Start(t.Context(), temporalbox.Config{Dir: dir, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return box
}

func connect(t *testing.T, box *temporalbox.Box) client.Client {
	t.Helper()
	connection, err := box.Client(t.Context(), client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return connection
}

func TestWorkflowsGoOnAfterARestart(t *testing.T) {
	dir := t.TempDir()
	first := start(t, dir)
	connection := connect(t, first)
	_, err := connection.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{ID: "greeting", TaskQueue: queue}, "greet")
	if err != nil {
		t.Fatal(err)
	}
	connection.Close()
	if err := first.Stop(); err != nil {
		t.Fatal(err)
	}

	second := start(t, dir)
	connection = connect(t, second)
	poller := worker.New(connection, queue, worker.Options{})
	poller.RegisterWorkflowWithOptions(greet, workflow.RegisterOptions{Name: "greet"})
	if err := poller.Start(); err != nil {
		t.Fatal(err)
	}
	if err := connection.SignalWorkflow(t.Context(), "greeting", "", "name", "fleet"); err != nil {
		t.Fatal(err)
	}
	var greeting string
	if err := connection.GetWorkflow(t.Context(), "greeting", "").Get(t.Context(), &greeting); err != nil {
		t.Fatal(err)
	}
	if greeting != "hello fleet" {
		t.Errorf("the workflow that began before the restart ended with %q", greeting)
	}
	poller.Stop()
	connection.Close()
	if err := second.Stop(); err != nil {
		t.Fatal(err)
	}
}

func TestOneBoxPerFolder(t *testing.T) {
	dir := t.TempDir()
	box := start(t, dir)
	_, err := temporalbox.Start(t.Context(), temporalbox.Config{Dir: dir})
	if !errors.Is(err, fleet.ErrConflict) {
		t.Errorf("a second box on the folder: got %v, want a conflict", err)
	}
	if err := box.Stop(); err != nil {
		t.Fatal(err)
	}
}

func TestNamespaceKeepsClosedWorkflows(t *testing.T) {
	box := start(t, t.TempDir())
	defer func() { _ = box.Stop() }()
	connection := connect(t, box)
	defer connection.Close()
	response, err := connection.WorkflowService().DescribeNamespace(t.Context(), &workflowservice.DescribeNamespaceRequest{Namespace: temporalbox.Namespace})
	if err != nil {
		t.Fatal(err)
	}
	if kept := response.GetConfig().GetWorkflowExecutionRetentionTtl().AsDuration(); kept != temporalbox.DefaultRetention {
		t.Errorf("closed workflows are kept for %s, want %s", kept, temporalbox.DefaultRetention)
	}
}

func TestStrangersAreTurnedAway(t *testing.T) {
	box := start(t, t.TempDir())
	defer func() { _ = box.Stop() }()
	for name, settings := range map[string]*tls.Config{
		"without TLS":           nil,
		"without a certificate": {InsecureSkipVerify: true}, //nolint:gosec // the test is the attacker
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		connection, err := client.DialContext(ctx, client.Options{
			HostPort: box.Address(), Namespace: box.Namespace(), Logger: temporalbox.NewSDKLogger(slog.New(slog.DiscardHandler)),
			ConnectionOptions: client.ConnectionOptions{TLS: settings, TLSDisabled: settings == nil},
		})
		cancel()
		if err == nil {
			connection.Close()
			t.Errorf("a client %s got in", name)
		}
		var answered *serviceerror.NamespaceNotFound
		if errors.As(err, &answered) {
			t.Errorf("a client %s reached the server: %v", name, err)
		}
	}
}
