package credentials

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
)

// The users a cluster's own components act as. They are administrators, since
// the sandbox runs them in the API server's own process, but keep the names
// that audit logs and admission rules know them by.
const (
	Administrator     = "admin"
	ControllerManager = "system:kube-controller-manager"
	Scheduler         = "system:kube-scheduler"
	Kubelets          = "system:kubelets"

	administrators = "system:masters"
)

var users = map[string]string{
	Administrator:     "admin",
	ControllerManager: "controller-manager",
	Scheduler:         "scheduler",
	Kubelets:          "kubelets",
}

// complete is written last: a directory without it was interrupted while its
// files were made, before anyone could have used them.
const complete = "complete"

// Store is the directory a cluster's credentials are in.
type Store struct{ dir string }

// Open returns the credentials in dir, made for the named cluster if there are
// none yet.
func Open(dir, cluster string, serviceAddress net.IP) (*Store, error) {
	store := &Store{dir}
	if _, err := os.Stat(store.path(complete)); err == nil {
		return store, nil
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("credentials: %w", err)
	}
	if err := store.create(cluster, serviceAddress); err != nil {
		return nil, fmt.Errorf("make credentials in %s: %w", dir, err)
	}
	return store, nil
}

// AuthorityFile holds the certificate clients and servers are verified with.
func (s *Store) AuthorityFile() string { return s.path("ca.crt") }

// ServerCertificateFile holds the API server's certificate.
func (s *Store) ServerCertificateFile() string { return s.path("server.crt") }

// ServerKeyFile holds the key of the API server's certificate.
func (s *Store) ServerKeyFile() string { return s.path("server.key") }

// TokenKeyFile holds the key that signs service account tokens.
func (s *Store) TokenKeyFile() string { return s.path("service-accounts.key") }

// TokenPublicKeyFile holds the key that verifies service account tokens.
func (s *Store) TokenPublicKeyFile() string { return s.path("service-accounts.pub") }

func (s *Store) path(name string) string { return filepath.Join(s.dir, name) }

func (s *Store) create(cluster string, serviceAddress net.IP) error {
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return err
	}
	authority, err := newAuthority("kubebox " + cluster)
	if err != nil {
		return err
	}
	files := map[string][]byte{"ca.crt": authority.pair.certificate, "ca.key": authority.pair.key}
	if err := addServer(files, authority, serviceAddress); err != nil {
		return err
	}
	if err := addUsers(files, authority); err != nil {
		return err
	}
	private, public, err := signingKey()
	if err != nil {
		return err
	}
	files["service-accounts.key"], files["service-accounts.pub"] = private, public
	return s.write(files)
}

func addServer(files map[string][]byte, authority *authority, serviceAddress net.IP) error {
	names := []string{"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local"}
	server, err := authority.server(names, []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback, serviceAddress})
	files["server.crt"], files["server.key"] = server.certificate, server.key
	return err
}

func addUsers(files map[string][]byte, authority *authority) error {
	for user, file := range users {
		client, err := authority.client(user, administrators)
		if err != nil {
			return err
		}
		files[file+".crt"], files[file+".key"] = client.certificate, client.key
	}
	return nil
}

func (s *Store) write(files map[string][]byte) error {
	for name, content := range files {
		if err := os.WriteFile(s.path(name), content, 0o600); err != nil {
			return err
		}
	}
	return os.WriteFile(s.path(complete), nil, 0o600)
}
