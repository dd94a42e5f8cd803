package daemon

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/netip"
	"net/url"
	"os"
	"strings"

	"k8s.io/client-go/tools/clientcmd"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// checker collects what is wrong with a configuration.
type checker struct {
	file     string
	reported map[string]bool // keys that have a fault already
	faults   []error
}

// check looks at everything that can be known before anything starts: missing
// keys, contradictions, files that cannot be read or are not what they should
// be. It adds to the faults that decoding found.
func check(file string, config Config, decodeErr error) error {
	c := &checker{file: file, reported: map[string]bool{}}
	if decodeErr != nil {
		c.faults = append(c.faults, decodeErr)
		c.noteReported(decodeErr)
	}
	if config.DataDir == "" {
		c.fault("dataDir", "needed: a folder for locks, pins and embedded databases")
	}
	c.api(config.API)
	c.inventory(config.Inventory)
	c.temporal(config.Temporal)
	c.management(config.Management)
	c.evidence(config.Evidence)
	if info, err := os.Stat(config.Plugins.Dir); err != nil || !info.IsDir() {
		c.fault("plugins.dir", "%s is not a folder that can be read", config.Plugins.Dir)
	}
	if config.Drift.Interval < 0 {
		c.fault("drift.interval", "must not be negative")
	}
	return c.err()
}

func (c *checker) err() error { return errors.Join(c.faults...) }

// noteReported keeps a key with a fault in its syntax from being called
// missing, too.
func (c *checker) noteReported(err error) {
	var joined interface{ Unwrap() []error }
	if !errors.As(err, &joined) {
		return
	}
	for _, one := range joined.Unwrap() {
		var fault *fleet.Error
		if errors.As(one, &fault) {
			c.reported[fault.Field] = true
		}
	}
}

func (c *checker) fault(key, format string, args ...any) {
	for reported := range c.reported {
		if key == reported || strings.HasPrefix(key, reported+".") {
			return
		}
	}
	c.reported[key] = true
	c.faults = append(c.faults, fleet.Errorf(fleet.ErrInvalid, format, args...).At(fleet.Position{File: c.file}, key))
}

func (c *checker) api(api APIConfig) {
	host, port, err := net.SplitHostPort(api.Listen)
	if err != nil || !isPort(port) {
		c.fault("api.listen", "want HOST:PORT, got %q", api.Listen)
	} else if api.TLS == nil && !isLoopback(host) {
		c.fault("api.listen", "%s can be reached from other machines: set api.tls, or listen on 127.0.0.1", api.Listen)
	}
	if api.TLS != nil {
		c.keyPair("api.tls", api.TLS.Certificate, api.TLS.Key)
	}
	if len(api.Tokens) == 0 && api.OIDC == nil {
		c.fault("api.tokens", "needed: at least one user's token (or api.oidc), or nobody can call")
	}
	c.tokens(api.Tokens)
	if api.OIDC != nil {
		c.oidc(*api.OIDC)
	}
}

func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	address, err := netip.ParseAddr(host)
	return err == nil && address.IsLoopback()
}

func (c *checker) keyPair(key, certificate, privateKey string) {
	c.readable(key+".certificate", certificate)
	c.readable(key+".key", privateKey)
	if c.reported[key+".certificate"] || c.reported[key+".key"] {
		return
	}
	if _, err := tls.LoadX509KeyPair(certificate, privateKey); err != nil {
		c.fault(key, "certificate and key do not go together: %v", err)
	}
}

func (c *checker) readable(key, file string) {
	if file == "" {
		c.fault(key, "needed")
	} else if _, err := os.ReadFile(file); err != nil {
		c.fault(key, "cannot be read: %v", err)
	}
}

func (c *checker) inventory(inventory InventoryConfig) {
	set := 0
	for _, value := range []string{inventory.PostgreSQL, inventory.PostgreSQLFile, inventory.SQLite} {
		if value != "" {
			set++
		}
	}
	if set != 1 {
		c.fault("inventory", "set exactly one of postgresql, postgresqlFile and sqlite")
	}
	if inventory.PostgreSQL != "" {
		c.postgresURL("inventory.postgresql", inventory.PostgreSQL)
	}
	if inventory.PostgreSQLFile != "" {
		content, err := os.ReadFile(inventory.PostgreSQLFile)
		if err != nil {
			c.fault("inventory.postgresqlFile", "cannot be read: %v", err)
			return
		}
		c.postgresURL("inventory.postgresqlFile", strings.TrimSpace(string(content)))
	}
}

// postgresURL never shows the URL: it may have a password.
func (c *checker) postgresURL(key, text string) {
	parsed, err := url.Parse(text)
	if err != nil || parsed.Scheme != "postgres" && parsed.Scheme != "postgresql" {
		c.fault(key, "want a URL such as postgres://user@host:5432/database")
	}
}

func (c *checker) temporal(temporal TemporalConfig) {
	if temporal.Embedded {
		if temporal.Address != "" || temporal.TLS != nil || temporal.APIKeyFile != "" {
			c.fault("temporal.embedded", "an embedded server takes no address, tls or apiKeyFile")
		}
		return
	}
	if _, _, err := net.SplitHostPort(temporal.Address); err != nil {
		c.fault("temporal.address", "want HOST:PORT (or embedded: true), got %q", temporal.Address)
	}
	if temporal.APIKeyFile != "" {
		if _, err := readToken(temporal.APIKeyFile); err != nil {
			c.fault("temporal.apiKeyFile", "%v", err)
		}
	}
	if temporal.TLS != nil {
		c.temporalTLS(*temporal.TLS)
	}
}

func (c *checker) temporalTLS(settings TemporalTLS) {
	if settings.Certificate != "" || settings.Key != "" {
		c.keyPair("temporal.tls", settings.Certificate, settings.Key)
	}
	if settings.CA == "" {
		return
	}
	content, err := os.ReadFile(settings.CA)
	if err != nil {
		c.fault("temporal.tls.ca", "cannot be read: %v", err)
	} else if !x509.NewCertPool().AppendCertsFromPEM(content) {
		c.fault("temporal.tls.ca", "%s has no PEM certificate", settings.CA)
	}
}

func (c *checker) management(management ManagementConfig) {
	if management.Kubeconfig == "" {
		c.fault("management.kubeconfig", "needed: how to reach the management cluster")
		return
	}
	if _, err := clientcmd.BuildConfigFromFlags("", management.Kubeconfig); err != nil {
		c.fault("management.kubeconfig", "no usable kubeconfig: %v", err)
	}
}
