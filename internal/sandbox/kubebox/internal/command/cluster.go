package command

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/meridian-fleet/meridian/internal/sandbox/kubebox/internal/controlplane"
	"github.com/meridian-fleet/meridian/internal/sandbox/kubebox/internal/etcd"
)

func newCluster(streams *streams) *cobra.Command {
	var options controlplane.Options
	var socket string
	var exitWithStdin bool
	command := &cobra.Command{
		Use:   "cluster --name NAME --dir DIR --etcd PATH",
		Short: "Run one cluster",
		Long: "Run one cluster until a signal comes. Its credentials and its port are made in its\n" +
			"directory on the first start and kept; its objects are in etcd under its prefix.\n" +
			"When it is usable it prints {\"endpoint\": …} and has written " + controlplane.KubeconfigFile + ".",
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			if err := options.Validate(); err != nil {
				return misuse{err}
			}
			options.EtcdEndpoint = etcd.Endpoint(socket)
			if options.EtcdPrefix == "" {
				options.EtcdPrefix = "/clusters/" + options.Name
			}
			return streams.run(command.Context(), exitWithStdin, func(ctx context.Context) error {
				return controlplane.Run(ctx, options, streams.ready)
			})
		},
	}
	flags := command.Flags()
	flags.StringVar(&options.Name, "name", "", "the cluster's name")
	flags.StringVar(&options.Dir, "dir", "", "where its credentials are kept")
	flags.StringVar(&socket, "etcd", "", "unix socket of etcd")
	flags.StringVar(&options.EtcdPrefix, "prefix", "", "its part of etcd (default /clusters/NAME)")
	flags.StringVar(&options.Version, "kubernetes-version", "", "the version to serve, such as v1.35.4 (default the newest)")
	exitWithStdinFlag(command, &exitWithStdin)
	require(command, "name", "dir", "etcd")
	return command
}
