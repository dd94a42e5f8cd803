package cluster

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"connectrpc.com/connect"
	"github.com/spf13/cobra"

	fleetv1 "github.com/meridian-fleet/meridian/api/fleet/v1"
	"github.com/meridian-fleet/meridian/internal/cli/complete"
	"github.com/meridian-fleet/meridian/internal/cli/factory"
	"github.com/meridian-fleet/meridian/internal/cli/kinds"
	"github.com/meridian-fleet/meridian/internal/cli/usage"
	"github.com/meridian-fleet/meridian/internal/fleet"
)

// KubeconfigOptions are the inputs of kubeconfig.
type KubeconfigOptions struct {
	*factory.Factory
	Cluster string
	Out     string
}

// NewKubeconfig makes the command kubeconfig.
func NewKubeconfig(f *factory.Factory, run func(context.Context, *KubeconfigOptions) error) *cobra.Command {
	options := &KubeconfigOptions{Factory: f}
	cmd := &cobra.Command{
		Use:   "kubeconfig NAME",
		Short: "Get a kubeconfig of a cluster",
		Long: `Get a kubeconfig of a cluster. It holds a credential: a file it is written to
can be read by its owner only.`,
		Example: `  fleetctl cluster kubeconfig aws-eu-central-1 --out aws-eu-central-1.kubeconfig
  fleetctl cluster kubeconfig aws-eu-central-1 > aws-eu-central-1.kubeconfig`,
		Args:              usage.Args(1, 1),
		ValidArgsFunction: complete.Name(f, fleet.KindCluster),
		RunE: func(cmd *cobra.Command, args []string) error {
			options.Cluster = kinds.Name(fleet.KindCluster, args[0])
			return run(cmd.Context(), options)
		},
	}
	cmd.Flags().StringVar(&options.Out, "out", "-", "file to write, - for the standard output")
	_ = cmd.MarkFlagFilename("out")
	return cmd
}

// Kubeconfig runs kubeconfig.
func Kubeconfig(ctx context.Context, options *KubeconfigOptions) error {
	client, err := options.Client()
	if err != nil {
		return err
	}
	response, err := client.GetKubeconfig(ctx, connect.NewRequest(&fleetv1.GetKubeconfigRequest{Cluster: options.Cluster}))
	if err != nil {
		return err
	}
	content := response.Msg.GetKubeconfig()
	if options.Out == "-" {
		_, err := options.Streams.Out.Write(content)
		return err
	}
	if err := writeSecret(options.Out, content); err != nil {
		var pathError *fs.PathError
		if errors.As(err, &pathError) {
			err = pathError.Err
		}
		return fleet.Errorf(fleet.ErrInvalid, "cannot write it: %w", err).At(fleet.Position{File: options.Out}, "")
	}
	fmt.Fprintf(options.Streams.Err, "Wrote %s\n", options.Out)
	return nil
}

// writeSecret replaces a file by one that only its owner may read. What was
// there stays until the new one is complete.
func writeSecret(name string, content []byte) error {
	if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() {
		return errors.New("not a regular file")
	}
	file, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(file.Name()) // gone already when all went well
	_, err = file.Write(content)
	if err := errors.Join(err, file.Close()); err != nil {
		return err
	}
	return os.Rename(file.Name(), name)
}
