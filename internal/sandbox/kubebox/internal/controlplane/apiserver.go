package controlplane

import (
	"context"
	"fmt"
	"net"

	"github.com/spf13/pflag"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"
	"k8s.io/apiserver/pkg/util/compatibility"
	"k8s.io/component-base/cli/flag"
	"k8s.io/kubernetes/cmd/kube-apiserver/app"
	"k8s.io/kubernetes/cmd/kube-apiserver/app/options"
)

const serviceRange = "10.96.0.0/16"

// kubernetesService is the address of the service "kubernetes", the first of
// the service range.
var kubernetesService = net.IPv4(10, 96, 0, 1)

// startAPIServer serves on the cluster's listener. What it returns delivers the
// error the server ends with.
func (c *cluster) startAPIServer(ctx context.Context) (<-chan error, error) {
	config, err := c.apiServerConfig(ctx)
	if err != nil {
		return nil, err
	}
	completed, err := config.Complete()
	if err != nil {
		return nil, err
	}
	server, err := app.CreateServerChain(completed)
	if err != nil {
		return nil, err
	}
	prepared, err := server.PrepareRun()
	if err != nil {
		return nil, err
	}
	stopped := make(chan error, 1)
	go func() { stopped <- prepared.Run(ctx) }()
	return stopped, nil
}

func (c *cluster) apiServerConfig(ctx context.Context) (*app.Config, error) {
	options := options.NewServerRunOptions()
	if err := parse(options.Flags(), c.apiServerFlags()); err != nil {
		return nil, err
	}
	options.SecureServing.Listener = c.listener
	if err := compatibility.DefaultComponentGlobalsRegistry.Set(); err != nil {
		return nil, err
	}
	completed, err := options.Complete(ctx)
	if err != nil {
		return nil, err
	}
	if faults := completed.Validate(); len(faults) > 0 {
		return nil, utilerrors.NewAggregate(faults)
	}
	config, err := app.NewConfig(completed)
	if err != nil {
		return nil, err
	}
	generic := config.KubeAPIs.ControlPlane.Generic
	generic.EffectiveVersion = reported{generic.EffectiveVersion, c.version}
	front := &config.Aggregator.GenericConfig.Config
	front.EffectiveVersion = reported{front.EffectiveVersion, c.version}
	return config, nil
}

func (c *cluster) apiServerFlags() []string {
	return []string{
		"--etcd-servers=" + c.EtcdEndpoint,
		"--etcd-prefix=" + c.EtcdPrefix,
		"--bind-address=127.0.0.1",
		fmt.Sprintf("--secure-port=%d", c.listener.Addr().(*net.TCPAddr).Port),
		"--advertise-address=" + kubernetesService.String(),
		"--endpoint-reconciler-type=none", // no pod could reach this process anyway
		"--tls-cert-file=" + c.credentials.ServerCertificateFile(),
		"--tls-private-key-file=" + c.credentials.ServerKeyFile(),
		"--client-ca-file=" + c.credentials.AuthorityFile(),
		"--authorization-mode=RBAC",
		"--service-account-issuer=https://kubernetes.default.svc.cluster.local",
		"--service-account-key-file=" + c.credentials.TokenPublicKeyFile(),
		"--service-account-signing-key-file=" + c.credentials.TokenKeyFile(),
		"--service-cluster-ip-range=" + serviceRange,
		"--allow-privileged",
		"--profiling=false",
		"--emulated-version=kube=" + c.version.minor(),
	}
}

// parse sets a component's options by its own command line flags, the form in
// which Kubernetes documents and keeps them.
func parse(sets flag.NamedFlagSets, arguments []string) error {
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	for _, set := range sets.FlagSets {
		flags.AddFlagSet(set)
	}
	return flags.Parse(arguments)
}
