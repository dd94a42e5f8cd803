package etcd

import (
	"context"
	"fmt"
	"strings"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

const dialTimeout = 10 * time.Second

// Purge deletes every key under a prefix and gives their space back. Purging
// what is already gone is no error. It returns how many keys it deleted.
func Purge(ctx context.Context, socket, prefix string) (deleted int64, err error) {
	if strings.Trim(prefix, "/") == "" {
		return 0, fmt.Errorf("refused to purge %q: the prefix names no cluster", prefix)
	}
	endpoint := Endpoint(socket)
	client, err := clientv3.New(clientv3.Config{Endpoints: []string{endpoint}, DialTimeout: dialTimeout, Context: ctx})
	if err != nil {
		return 0, fmt.Errorf("connect to etcd: %w", err)
	}
	defer client.Close()
	// The slash keeps cluster "a" from taking cluster "ab" with it.
	response, err := client.Delete(ctx, strings.TrimSuffix(prefix, "/")+"/", clientv3.WithPrefix())
	if err != nil {
		return 0, fmt.Errorf("delete %s: %w", prefix, err)
	}
	if response.Deleted == 0 {
		return 0, nil
	}
	return response.Deleted, reclaim(ctx, client, endpoint, response.Header.Revision)
}

// reclaim forgets the history up to a revision and returns the free pages to
// the file system.
func reclaim(ctx context.Context, client *clientv3.Client, endpoint string, revision int64) error {
	if _, err := client.Compact(ctx, revision, clientv3.WithCompactPhysical()); err != nil {
		return fmt.Errorf("compact etcd: %w", err)
	}
	if _, err := client.Defragment(ctx, endpoint); err != nil {
		return fmt.Errorf("defragment etcd: %w", err)
	}
	return nil
}
