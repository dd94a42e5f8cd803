package daemon

import (
	"os"
	"path/filepath"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// Load reads the configuration of `fleetd serve`. All faults are reported
// together, each with its key. Relative paths are relative to the file.
func Load(file string) (Config, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return Config{}, fleet.Errorf(fleet.ErrInvalid, "cannot read the configuration: %w", err)
	}
	config := Config{Drift: DriftConfig{Interval: defaultDriftInterval}}
	decodeErr := decodeStrict(file, string(content), &config)
	config.resolve(filepath.Dir(file))
	return config, check(file, config, decodeErr)
}

// resolve fills in defaults and makes paths absolute.
func (c *Config) resolve(base string) {
	setDefault(&c.API.Listen, defaultListen)
	setDefault(&c.Management.Namespace, defaultManagementSpace)
	setDefault(&c.Temporal.Namespace, defaultTemporalNamespace)
	if c.Plugins.Dir == "" {
		c.Plugins.Dir = ownFolder()
	}
	if c.Plugins.LockFile == "" && c.DataDir != "" {
		c.Plugins.LockFile = filepath.Join(c.DataDir, "plugins.lock")
	}
	if c.Evidence.Dir == "" && c.DataDir != "" {
		c.Evidence.Dir = filepath.Join(c.DataDir, "evidence")
	}
	for _, path := range c.paths() {
		if *path != "" && !filepath.IsAbs(*path) {
			*path = filepath.Join(base, *path)
		}
	}
}

func (c *Config) paths() []*string {
	paths := []*string{
		&c.DataDir, &c.Inventory.PostgreSQLFile, &c.Inventory.SQLite, &c.Temporal.APIKeyFile,
		&c.Management.Kubeconfig, &c.Plugins.Dir, &c.Plugins.LockFile, &c.Evidence.Dir, &c.Evidence.WitnessDir,
	}
	for i := range c.API.Tokens {
		paths = append(paths, &c.API.Tokens[i].File)
	}
	if oidc := c.API.OIDC; oidc != nil {
		paths = append(paths, &oidc.CertificateAuthority)
	}
	if tls := c.API.TLS; tls != nil {
		paths = append(paths, &tls.Certificate, &tls.Key)
	}
	if tls := c.Temporal.TLS; tls != nil {
		paths = append(paths, &tls.Certificate, &tls.Key, &tls.CA)
	}
	return paths
}

func setDefault(value *string, fallback string) {
	if *value == "" {
		*value = fallback
	}
}

// ownFolder is where fleetd's executable is, and with it the binaries that
// were built along.
func ownFolder() string {
	executable, err := os.Executable()
	if err != nil {
		return ""
	}
	return filepath.Dir(executable)
}
