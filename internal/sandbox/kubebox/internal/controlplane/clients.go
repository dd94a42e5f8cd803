package controlplane

import (
	"path/filepath"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// The API server's priority and fairness does the limiting.
const requestsPerSecond, requestBurst = 1000, 2000

// kubeconfigFile writes a component's kubeconfig, for those components that
// take nothing else.
func (c *cluster) kubeconfigFile(user, name string) (string, error) {
	path := filepath.Join(c.Dir, "pki", name+".kubeconfig")
	return path, c.credentials.WriteKubeconfig(path, c.Name, c.endpoint, user)
}

func (c *cluster) clientConfig(user string) (*rest.Config, error) {
	content, err := c.credentials.Kubeconfig(c.Name, c.endpoint, user)
	if err != nil {
		return nil, err
	}
	config, err := clientcmd.RESTConfigFromKubeConfig(content)
	if err != nil {
		return nil, err
	}
	config.QPS, config.Burst = requestsPerSecond, requestBurst
	return config, nil
}

func (c *cluster) client(user string) (kubernetes.Interface, error) {
	config, err := c.clientConfig(user)
	if err != nil {
		return nil, err
	}
	return kubernetes.NewForConfig(config)
}
