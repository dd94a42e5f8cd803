package sandbox_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"testing"

	"github.com/go-logr/logr"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/meridian-fleet/meridian/internal/sandbox"
)

// asSandbox as first argument makes the test binary a sandbox process, so that
// tests can launch, kill and find again a real one.
const asSandbox = "run-sandbox-process"

func TestMain(m *testing.M) {
	if len(os.Args) == 4 && os.Args[1] == asSandbox {
		os.Exit(sandboxProcess(os.Args[2], os.Args[3]))
	}
	ctrl.SetLogger(logr.Discard())
	os.Exit(m.Run())
}

func sandboxProcess(stateDir, kubebox string) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	logger := slog.New(slog.NewTextHandler(os.Stderr, nil))
	if err := sandbox.Run(ctx, sandbox.Config{StateDir: stateDir, KubeboxBinary: kubebox, Logger: logger}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}
