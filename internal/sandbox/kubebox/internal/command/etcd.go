package command

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/meridian-fleet/meridian/internal/sandbox/kubebox/internal/etcd"
	"github.com/meridian-fleet/meridian/internal/sandbox/kubebox/internal/exclusive"
)

func newEtcd(streams *streams) *cobra.Command {
	var dir, socket string
	var exitWithStdin bool
	command := &cobra.Command{
		Use:   "etcd --data-dir DIR --socket PATH",
		Short: "Serve the etcd that clusters share",
		Args:  cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			return streams.run(command.Context(), exitWithStdin, func(ctx context.Context) error {
				return serveEtcd(ctx, dir, socket, streams.ready)
			})
		},
	}
	command.Flags().StringVar(&dir, "data-dir", "", "where the data is kept")
	command.Flags().StringVar(&socket, "socket", "", "unix socket to serve on")
	exitWithStdinFlag(command, &exitWithStdin)
	require(command, "data-dir", "socket")
	return command
}

func serveEtcd(ctx context.Context, dir, socket string, ready func(string)) error {
	// Also keeps an etcd that is about to end from taking the new one's socket
	// with it.
	lock, err := exclusive.Lock(ctx, dir)
	if err != nil {
		return err
	}
	defer lock.Close()
	server, err := etcd.Start(dir, socket)
	if err != nil {
		return err
	}
	defer server.Close()
	ready(etcd.Endpoint(socket))
	select {
	case <-ctx.Done():
		return nil
	case err := <-server.Failed():
		return fmt.Errorf("etcd failed: %w", err)
	}
}

func newPurge(streams *streams) *cobra.Command {
	var socket, prefix string
	command := &cobra.Command{
		Use:   "purge --etcd PATH --prefix PREFIX",
		Short: "Delete a cluster's data from etcd and give its space back",
		Args:  cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			deleted, err := etcd.Purge(command.Context(), socket, prefix)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(streams.output, "{\"deleted\":%d}\n", deleted)
			return err
		},
	}
	command.Flags().StringVar(&socket, "etcd", "", "unix socket of etcd")
	command.Flags().StringVar(&prefix, "prefix", "", "the cluster's part of etcd")
	require(command, "etcd", "prefix")
	return command
}
