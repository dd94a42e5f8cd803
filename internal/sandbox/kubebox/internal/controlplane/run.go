package controlplane

import (
	"context"
	"fmt"
	"net"
	"path/filepath"
	"runtime/debug"
	"time"

	"k8s.io/client-go/rest"
	logsapi "k8s.io/component-base/logs/api/v1"

	"github.com/meridian-fleet/meridian/internal/sandbox/kubebox/internal/credentials"
	"github.com/meridian-fleet/meridian/internal/sandbox/kubebox/internal/exclusive"
)

// drainTimeout bounds how long the API server may take to end its requests.
// Whatever it has acknowledged is in etcd already.
const drainTimeout = time.Second

// KubeconfigFile is where, in its directory, a cluster keeps the
// administrator's kubeconfig.
const KubeconfigFile = "admin.kubeconfig"

// Options say which cluster to run.
type Options struct {
	Name         string // how the cluster is called in its kubeconfig
	Dir          string // its credentials and its port; made when missing
	EtcdEndpoint string
	EtcdPrefix   string // its part of etcd
	Version      string // the Kubernetes version to serve; empty for the newest
}

// Validate reports what no start with these options could mend.
func (o Options) Validate() error {
	_, err := parseVersion(o.Version)
	return err
}

// cluster is what the parts of a running cluster share.
type cluster struct {
	Options
	version     version
	credentials *credentials.Store
	listener    net.Listener
	endpoint    string
}

// Run runs a cluster until ctx ends. It calls ready once, with the API server's
// endpoint, when workloads can be created and will run.
func Run(ctx context.Context, options Options, ready func(endpoint string)) error {
	// The components would each configure the one logger of this process.
	logsapi.ReapplyHandling = logsapi.ReapplyHandlingIgnoreUnchanged
	rest.SetDefaultWarningHandler(rest.NoWarnings{})
	lock, err := exclusive.Lock(ctx, options.Dir)
	if err != nil {
		return err
	}
	defer lock.Close()
	cluster, err := prepare(options)
	if err != nil {
		return err
	}
	defer cluster.listener.Close()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	stopped, err := cluster.startAPIServer(ctx)
	if err != nil {
		return fmt.Errorf("API server: %w", err)
	}
	started := make(chan error, 1)
	go func() { started <- cluster.startComponents(ctx) }()
	select {
	case err := <-stopped:
		return fmt.Errorf("API server stopped: %w", err)
	case err := <-started:
		if err != nil {
			return err
		}
	}
	ready(cluster.endpoint)
	// Starting leaves as much garbage as there is data. An idle cluster would
	// not collect it for hours.
	go debug.FreeOSMemory()
	return awaitEnd(ctx, stopped)
}

func prepare(options Options) (*cluster, error) {
	version, err := parseVersion(options.Version)
	if err != nil {
		return nil, err
	}
	store, err := credentials.Open(filepath.Join(options.Dir, "pki"), options.Name, kubernetesService)
	if err != nil {
		return nil, err
	}
	listener, err := listen(filepath.Join(options.Dir, "port"))
	if err != nil {
		return nil, err
	}
	endpoint := "https://" + listener.Addr().String()
	return &cluster{options, version, store, listener, endpoint}, nil
}

// startComponents returns when everything runs.
func (c *cluster) startComponents(ctx context.Context) error {
	kubeconfig := filepath.Join(c.Dir, KubeconfigFile)
	if err := c.credentials.WriteKubeconfig(kubeconfig, c.Name, c.endpoint, credentials.Administrator); err != nil {
		return fmt.Errorf("kubeconfig: %w", err)
	}
	client, err := c.client(credentials.Administrator)
	if err != nil {
		return err
	}
	if err := awaitAPIServer(ctx, client); err != nil {
		return fmt.Errorf("API server: %w", err)
	}
	for name, start := range map[string]func(context.Context) error{
		"controllers": c.startControllers,
		"scheduler":   c.startScheduler,
		"kubelets":    c.startKubelets,
		"programs":    c.startPrograms,
	} {
		if err := start(ctx); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return awaitNamespaces(ctx, client)
}

func awaitEnd(ctx context.Context, stopped <-chan error) error {
	select {
	case err := <-stopped:
		if ctx.Err() == nil {
			return fmt.Errorf("API server stopped: %w", err)
		}
		return nil
	case <-ctx.Done():
	}
	select {
	case <-stopped:
	case <-time.After(drainTimeout):
	}
	return nil
}
