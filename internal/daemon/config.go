package daemon

import (
	"time"

	"github.com/meridian-fleet/meridian/internal/server"
)

// Config is everything that can be different between two fleetds. The tags are
// the keys of `fleetd serve`'s file; fields without one are for other
// constructors.
type Config struct {
	DataDir    string           `yaml:"dataDir"` // locks, pins and embedded databases
	API        APIConfig        `yaml:"api"`
	Inventory  InventoryConfig  `yaml:"inventory"`
	Temporal   TemporalConfig   `yaml:"temporal"`
	Management ManagementConfig `yaml:"management"`
	Plugins    PluginsConfig    `yaml:"plugins"`
	Drift      DriftConfig      `yaml:"drift"`
	Evidence   EvidenceConfig   `yaml:"evidence"`
	// Accounts are cloud account settings by provider: project, role, network.
	Accounts map[string]map[string]string `yaml:"accounts"`

	Sandbox *SandboxConfig `yaml:"-"` // clouds on this machine; its management cluster is used
	Client  *ClientConfig  `yaml:"-"` // configuration files to write for fleetctl
}

// APIConfig says where the API listens and who may call it.
type APIConfig struct {
	Listen string        `yaml:"listen"` // host:port; default 127.0.0.1:7443
	TLS    *ServerTLS    `yaml:"tls"`    // needed beyond loopback
	Tokens []TokenConfig `yaml:"tokens"`
	OIDC   *OIDCConfig   `yaml:"oidc"` // beside tokens, or instead of them
}

// ServerTLS names a certificate and its key, PEM files.
type ServerTLS struct {
	Certificate string `yaml:"certificate"`
	Key         string `yaml:"key"`
}

// TokenConfig is one user's bearer token.
type TokenConfig struct {
	User  string        `yaml:"user"`
	Role  server.Role   `yaml:"role"`  // for a user who has one
	Roles []server.Role `yaml:"roles"` // viewer, operator, approver, compliance, admin
	File  string        `yaml:"file"`  // has the token on its only line
}

// roles are all that are given, in either way.
func (t TokenConfig) roles() []server.Role {
	if t.Role == "" {
		return t.Roles
	}
	return append([]server.Role{t.Role}, t.Roles...)
}

// OIDCConfig names the OpenID Connect issuer whose tokens are taken, and what
// they say. See package openid.
type OIDCConfig struct {
	Issuer     string `yaml:"issuer"`   // https URL
	Audience   string `yaml:"audience"` // the client id that tokens are for
	UserClaim  string `yaml:"userClaim"`
	RolesClaim string `yaml:"rolesClaim"`
	// RoleMap gives roles to values of the roles' claim.
	RoleMap              map[string][]server.Role `yaml:"roleMap"`
	CertificateAuthority string                   `yaml:"certificateAuthority"` // PEM file; the system's when empty
}

// EvidenceConfig says where the evidence log is.
type EvidenceConfig struct {
	Dir        string         `yaml:"dir"`        // default: evidence in dataDir
	WitnessDir string         `yaml:"witnessDir"` // of the witness in this process; default: in dir
	Witness    *WitnessConfig `yaml:"witness"`    // one elsewhere, instead
	Replaces   []string       `yaml:"replaces"`   // names of logs that followed the inventory and are lost
}

// WitnessConfig names a C2SP tlog-witness.
type WitnessConfig struct {
	URL string `yaml:"url"`
	Key string `yaml:"key"` // its verifier key
}

// InventoryConfig names the database; exactly one field is set.
type InventoryConfig struct {
	PostgreSQL     string `yaml:"postgresql"`     // URL
	PostgreSQLFile string `yaml:"postgresqlFile"` // a file with the URL, when it has a password
	SQLite         string `yaml:"sqlite"`         // file, for a single fleetd
}

// TemporalConfig is an embedded server or the address of another.
type TemporalConfig struct {
	Embedded   bool         `yaml:"embedded"` // in this process, its data in dataDir
	Address    string       `yaml:"address"`  // host:port
	Namespace  string       `yaml:"namespace"`
	TLS        *TemporalTLS `yaml:"tls"`
	APIKeyFile string       `yaml:"apiKeyFile"`
}

// TemporalTLS is how to reach a Temporal behind TLS; all fields are optional.
type TemporalTLS struct {
	Certificate string `yaml:"certificate"`
	Key         string `yaml:"key"`
	CA          string `yaml:"ca"`
	ServerName  string `yaml:"serverName"`
}

// ManagementConfig names the management cluster.
type ManagementConfig struct {
	Kubeconfig string `yaml:"kubeconfig"`
	Namespace  string `yaml:"namespace"` // default meridian
}

// PluginsConfig names the providers' plugins.
type PluginsConfig struct {
	Dir      string `yaml:"dir"`      // default: fleetd's own folder
	LockFile string `yaml:"lockFile"` // default: plugins.lock in dataDir
	// TrustAnew forgets the pins at each start: right where plugins are built
	// along with fleetd, wrong where somebody else brings them.
	TrustAnew bool `yaml:"-"`
}

// DriftConfig says how often drift is checked.
type DriftConfig struct {
	Interval time.Duration `yaml:"interval"` // default 10m; 0s: never
}

// SandboxConfig says how the sandbox is run.
type SandboxConfig struct {
	StateDir string
	Kubebox  string // binary
	Keep     bool   // leave it running at a clean stop
}

// ClientConfig says which configuration files fleetctl finds this fleetd with.
type ClientConfig struct {
	Files []string
	Token string
	Users string // folder with a file NAME.token for every user
}

const (
	defaultListen            = "127.0.0.1:7443"
	defaultManagementSpace   = "meridian"
	defaultTemporalNamespace = "fleet"
	defaultDriftInterval     = 10 * time.Minute
)
