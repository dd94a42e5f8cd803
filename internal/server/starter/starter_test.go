package starter_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"testing"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/server/starter"
	"github.com/meridian-fleet/meridian/internal/temporalbox"
	"github.com/meridian-fleet/meridian/workflows"
)

// echo returns its input once it is signalled to.
func echo(ctx workflow.Context, input string) (string, error) {
	workflow.GetSignalChannel(ctx, "go").Receive(ctx, nil)
	return input, nil
}

func reverse(_ workflow.Context, input string) (string, error) {
	letters := []byte(input)
	slices.Reverse(letters)
	return string(letters), nil
}

func refuse(workflow.Context, string) (string, error) {
	return "", workflows.Fail(fleet.Errorf(fleet.ErrConflict, "not now").On("Cluster c").Advise("later"))
}

func TestStarter(t *testing.T) {
	box, err := temporalbox.Start(t.Context(), temporalbox.Config{Dir: t.TempDir(), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = box.Stop() }()
	connection, err := box.Client(t.Context(), client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	work := worker.New(connection, workflows.FleetQueue, worker.Options{})
	work.RegisterWorkflowWithOptions(echo, workflow.RegisterOptions{Name: "echo"})
	work.RegisterWorkflowWithOptions(reverse, workflow.RegisterOptions{Name: "reverse"})
	work.RegisterWorkflowWithOptions(refuse, workflow.RegisterOptions{Name: "refuse"})
	if err := work.Start(); err != nil {
		t.Fatal(err)
	}
	defer work.Stop()
	s := starter.New(connection)

	t.Run("a workflow that runs is joined", func(t *testing.T) {
		for _, input := range []string{"first", "second"} {
			if err := s.Start(t.Context(), "one", "echo", input); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Signal(t.Context(), "one", "go", nil); err != nil {
			t.Fatal(err)
		}
		var result string
		if err := connection.GetWorkflow(t.Context(), "one", "").Get(t.Context(), &result); err != nil {
			t.Fatal(err)
		}
		if result != "first" {
			t.Errorf("the %s start's input was taken", result)
		}
	})
	t.Run("a result is decoded", func(t *testing.T) {
		var result string
		if err := s.Execute(t.Context(), "four", "reverse", "abc", &result); err != nil || result != "cba" {
			t.Errorf("got %q, %v", result, err)
		}
	})
	t.Run("a failure keeps its kind", func(t *testing.T) {
		err := s.Execute(t.Context(), "two", "refuse", "", nil)
		var fault *fleet.Error
		if !errors.As(err, &fault) || fault.Kind != fleet.ErrConflict || fault.Object != "Cluster c" || fault.Message != "not now" || fault.Hint != "later" {
			t.Errorf("got %#v", err)
		}
	})
	t.Run("a signal needs a workflow", func(t *testing.T) {
		if err := s.Signal(t.Context(), "none", "go", nil); !errors.Is(err, fleet.ErrNotFound) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("a caller that goes away", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := s.Execute(ctx, "three", "echo", "", nil); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
	if err := s.Ping(t.Context()); err != nil {
		t.Error(err)
	}
}
