package credentials_test

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"os"
	"path/filepath"
	"testing"

	"k8s.io/client-go/tools/clientcmd"

	"github.com/meridian-fleet/meridian/internal/sandbox/kubebox/internal/credentials"
)

var service = net.IPv4(10, 96, 0, 1)

func open(t *testing.T, dir string) *credentials.Store {
	t.Helper()
	store, err := credentials.Open(dir, "cluster", service)
	if err != nil {
		t.Fatal(err)
	}
	return store
}

func authority(t *testing.T, store *credentials.Store) (*x509.CertPool, string) {
	t.Helper()
	content, err := os.ReadFile(store.AuthorityFile())
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(content) {
		t.Fatal("the authority's certificate cannot be read")
	}
	return pool, string(content)
}

func TestServerAndUsersAreOfOneAuthority(t *testing.T) {
	t.Parallel()
	store := open(t, filepath.Join(t.TempDir(), "pki"))
	roots, _ := authority(t, store)
	server, err := tls.LoadX509KeyPair(store.ServerCertificateFile(), store.ServerKeyFile())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"127.0.0.1", "localhost", "kubernetes.default.svc", service.String()} {
		if _, err := server.Leaf.Verify(x509.VerifyOptions{DNSName: name, Roots: roots}); err != nil {
			t.Errorf("server as %s: %v", name, err)
		}
	}
	kubeconfig, err := store.Kubeconfig("cluster", "https://127.0.0.1:1", credentials.Administrator)
	if err != nil {
		t.Fatal(err)
	}
	config, err := clientcmd.RESTConfigFromKubeConfig(kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	client, err := tls.X509KeyPair(config.CertData, config.KeyData)
	if err != nil {
		t.Fatal(err)
	}
	usage := x509.VerifyOptions{Roots: roots, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	if _, err := client.Leaf.Verify(usage); err != nil {
		t.Errorf("administrator: %v", err)
	}
	if subject := client.Leaf.Subject; subject.CommonName != "admin" || subject.Organization[0] != "system:masters" {
		t.Errorf("administrator is %s", subject)
	}
	if _, err := store.Kubeconfig("cluster", "https://127.0.0.1:1", "stranger"); err == nil {
		t.Error("a stranger got a kubeconfig")
	}
}

func TestKeptOnceComplete(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "pki")
	_, first := authority(t, open(t, dir))
	if _, again := authority(t, open(t, dir)); again != first {
		t.Error("the second start made a new authority")
	}
	// As after an interruption of the first start.
	if err := os.Remove(filepath.Join(dir, "complete")); err != nil {
		t.Fatal(err)
	}
	store := open(t, dir)
	if _, anew := authority(t, store); anew == first {
		t.Error("an incomplete set was kept")
	}
	if _, err := tls.LoadX509KeyPair(store.ServerCertificateFile(), store.ServerKeyFile()); err != nil {
		t.Error(err)
	}
}

func TestOnlyTheOwnerReads(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "pki")
	store := open(t, dir)
	if err := store.WriteKubeconfig(filepath.Join(dir, "config"), "cluster", "https://127.0.0.1:1", credentials.Scheduler); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", entry.Name(), info.Mode())
		}
	}
}
