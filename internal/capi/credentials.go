package capi

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// Kubeconfig is the kubeconfig Cluster API keeps for a cluster.
func (m *Management) Kubeconfig(ctx context.Context, cluster string) ([]byte, error) {
	ctx, cancel := callTimeout(ctx)
	defer cancel()
	name := cluster + "-kubeconfig"
	secret, err := m.core.CoreV1().Secrets(m.namespace).Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return nil, wrap(err, "read its kubeconfig", "Cluster "+cluster)
	}
	if len(secret.Data["value"]) == 0 {
		return nil, fleet.Errorf(fleet.ErrUnavailable, "Secret %s has no kubeconfig yet", name).On("Cluster " + cluster)
	}
	return secret.Data["value"], nil
}

// RESTConfig is a client configuration for a cluster, without a request rate
// limit of its own.
func (m *Management) RESTConfig(ctx context.Context, cluster string) (*rest.Config, error) {
	kubeconfig, err := m.Kubeconfig(ctx, cluster)
	if err != nil {
		return nil, err
	}
	config, err := clientcmd.RESTConfigFromKubeConfig(kubeconfig)
	if err != nil {
		// The text of the error may quote the kubeconfig: keep it out.
		return nil, fleet.Errorf(fleet.ErrNeedsHuman, "its kubeconfig cannot be read").On("Cluster " + cluster)
	}
	config.QPS = -1
	config.UserAgent = fieldManager
	return config, nil
}
