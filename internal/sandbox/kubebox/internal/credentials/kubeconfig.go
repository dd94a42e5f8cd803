package credentials

import (
	"fmt"
	"os"
	"path/filepath"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// Kubeconfig returns a kubeconfig with everything in it that a user needs to
// reach the API server at an endpoint.
func (s *Store) Kubeconfig(cluster, endpoint, user string) ([]byte, error) {
	file, known := users[user]
	if !known {
		return nil, fmt.Errorf("cluster %s has no user %q", cluster, user)
	}
	var contents [3][]byte
	for i, name := range []string{"ca.crt", file + ".crt", file + ".key"} {
		content, err := os.ReadFile(s.path(name))
		if err != nil {
			return nil, fmt.Errorf("credentials of %s: %w", user, err)
		}
		contents[i] = content
	}
	config := clientcmdapi.NewConfig()
	config.Clusters[cluster] = &clientcmdapi.Cluster{Server: endpoint, CertificateAuthorityData: contents[0]}
	config.AuthInfos[user] = &clientcmdapi.AuthInfo{ClientCertificateData: contents[1], ClientKeyData: contents[2]}
	config.Contexts[cluster] = &clientcmdapi.Context{Cluster: cluster, AuthInfo: user}
	config.CurrentContext = cluster
	return clientcmd.Write(*config)
}

// WriteKubeconfig puts a user's kubeconfig in a file that only its owner may
// read. A reader sees the old content or the new, never a part.
func (s *Store) WriteKubeconfig(path, cluster, endpoint, user string) error {
	content, err := s.Kubeconfig(cluster, endpoint, user)
	if err != nil {
		return err
	}
	partial, err := os.CreateTemp(filepath.Dir(path), ".kubeconfig-*") // 0600
	if err != nil {
		return err
	}
	defer os.Remove(partial.Name())
	if _, err := partial.Write(content); err != nil {
		partial.Close()
		return err
	}
	if err := partial.Close(); err != nil {
		return err
	}
	return os.Rename(partial.Name(), path)
}
