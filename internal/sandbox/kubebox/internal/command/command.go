package command

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/meridian-fleet/meridian/internal/sandbox/kubebox/internal/lifeline"
)

// Exit codes.
const (
	exitFailed  = 1
	exitMisused = 2 // the same call will fail again
)

// lean trades some CPU for memory: a machine holds many of these processes, all
// of them mostly idle.
const lean = 50

// Ready is the line that etcd and cluster print on standard output once they
// serve.
type Ready struct {
	Endpoint string `json:"endpoint"`
}

// misuse is an error of the caller's.
type misuse struct{ error }

type streams struct {
	input  io.Reader
	output io.Writer
}

// Main runs the command line and returns the process's exit code.
func Main(arguments []string, input io.Reader, output, problems io.Writer) int {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(lean)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	root := newRoot(&streams{input, output})
	root.SetArgs(arguments)
	root.SetOut(output)
	root.SetErr(problems)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	fmt.Fprintln(problems, "kubebox:", err)
	var misused misuse
	if errors.As(err, &misused) {
		return exitMisused
	}
	return exitFailed
}

func newRoot(streams *streams) *cobra.Command {
	root := &cobra.Command{
		Use:           "kubebox",
		Short:         "Real Kubernetes control planes with simulated nodes",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return misuse{err} })
	root.AddCommand(newEtcd(streams), newCluster(streams), newPurge(streams))
	return root
}

// run calls serve with a context that ends on a signal and, if asked for, with
// standard input.
func (s *streams) run(ctx context.Context, exitWithStdin bool, serve func(context.Context) error) error {
	if exitWithStdin {
		ctx = lifeline.Watch(ctx, s.input)
	}
	return serve(ctx)
}

func (s *streams) ready(endpoint string) {
	// A reader that is gone needs no answer.
	_ = json.NewEncoder(s.output).Encode(Ready{endpoint})
}

func exitWithStdinFlag(command *cobra.Command, value *bool) {
	command.Flags().BoolVar(value, "exit-with-stdin", false, "end when standard input ends, as it does with the process that holds its other end")
}

func require(command *cobra.Command, flags ...string) {
	for _, flag := range flags {
		if err := command.MarkFlagRequired(flag); err != nil {
			panic(err) // the flag is not declared: a defect of this package
		}
	}
}
