package testbed

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// Fleetctl runs a command, showing it and what it prints on Out.
func (f *Fleetd) Fleetctl(ctx context.Context, arguments ...string) error {
	fmt.Fprintf(f.Out, "$ fleetctl %s\n", strings.Join(arguments, " "))
	started := time.Now()
	command := f.command(ctx, arguments)
	command.Stdout, command.Stderr = f.Out, f.Out
	if err := command.Run(); err != nil {
		return fmt.Errorf("fleetctl %s: %w\nfleetd's log ends:\n%s", strings.Join(arguments, " "), err, f.LogTail())
	}
	fmt.Fprintf(f.Out, "  (%s)\n", time.Since(started).Round(10*time.Millisecond))
	return nil
}

// Output runs a command and returns what it prints; an error has what it said.
func (f *Fleetd) Output(ctx context.Context, arguments ...string) ([]byte, error) {
	out, err := f.command(ctx, arguments).Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		err = fmt.Errorf("fleetctl %s: %w: %s", strings.Join(arguments, " "), err, exit.Stderr)
	}
	return out, err
}

// List returns all resources of a kind.
func (f *Fleetd) List(ctx context.Context, kind string) ([]fleet.Resource, error) {
	out, err := f.Output(ctx, "get", kind, "-o", "json")
	if err != nil {
		return nil, err
	}
	var list struct{ Items []fleet.Resource }
	return list.Items, json.Unmarshal(out, &list)
}

// ClusterStatuses returns what is known of every cluster, by name.
func (f *Fleetd) ClusterStatuses(ctx context.Context) (map[string]fleet.ClusterStatus, error) {
	clusters, err := f.List(ctx, "clusters")
	if err != nil {
		return nil, err
	}
	statuses := map[string]fleet.ClusterStatus{}
	for _, cluster := range clusters {
		if statuses[cluster.Metadata.Name], err = fleet.StatusOf[fleet.ClusterStatus](cluster); err != nil {
			return nil, err
		}
	}
	return statuses, nil
}

// RESTConfig gives access to a cluster's API server.
func (f *Fleetd) RESTConfig(ctx context.Context, cluster string) (*rest.Config, error) {
	kubeconfig, err := f.Output(ctx, "cluster", "kubeconfig", cluster)
	if err != nil {
		return nil, err
	}
	return clientcmd.RESTConfigFromKubeConfig(kubeconfig)
}

func (f *Fleetd) command(ctx context.Context, arguments []string) *exec.Cmd {
	command := exec.CommandContext(ctx, filepath.Join(f.Bin, "fleetctl"), arguments...)
	command.Env = f.environment()
	return command
}
