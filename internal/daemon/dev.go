package daemon

import (
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/server"
)

// DevOptions are the flags of `fleetd dev`. Zero values take the defaults.
type DevOptions struct {
	DataDir       string
	Listen        string
	Kubebox       string
	KeepSandbox   bool
	DriftInterval time.Duration
}

// Dev is the configuration of a fleetd that needs nothing but this machine:
// everything embedded, the clouds in a sandbox, all of it in one folder, and
// a user for each part, with a token in a file, of whom fleetctl is the
// administrator by itself.
func Dev(options DevOptions) (Config, error) {
	dataDir, err := devDataDir(options.DataDir)
	if err != nil {
		return Config{}, err
	}
	setDefault(&options.Kubebox, filepath.Join(ownFolder(), "kubebox"))
	if err := checkDev(options); err != nil {
		return Config{}, err
	}
	if err := os.MkdirAll(dataDir, 0o700); err != nil {
		return Config{}, fleet.Errorf(fleet.ErrInvalid, "the data folder cannot be made: %w", err)
	}
	users := filepath.Join(dataDir, "users")
	tokens, err := ensureUsers(users)
	if err != nil {
		return Config{}, err
	}
	own, err := readToken(tokens[0].File)
	if err != nil {
		return Config{}, fleet.Errorf(fleet.ErrInvalid, "the token of %s: %w", tokens[0].User, err)
	}
	state := filepath.Join(dataDir, "sandbox")
	config := Config{
		DataDir:   dataDir,
		API:       APIConfig{Listen: options.Listen, Tokens: tokens},
		Inventory: InventoryConfig{SQLite: filepath.Join(dataDir, "inventory.db")},
		Temporal:  TemporalConfig{Embedded: true},
		Plugins:   PluginsConfig{TrustAnew: true},
		Drift:     DriftConfig{Interval: options.DriftInterval},
		Accounts:  sandboxAccounts,
		Sandbox:   &SandboxConfig{StateDir: state, Kubebox: options.Kubebox, Keep: options.KeepSandbox},
		Client:    &ClientConfig{Files: clientFiles(dataDir), Token: own, Users: users},
	}
	config.resolve(dataDir)
	return config, nil
}

// devUsers are who can call; the first is who fleetctl is unless told
// otherwise. Nobody who asks for an exception approves it, not even here.
var devUsers = []TokenConfig{
	{User: "admin", Roles: []server.Role{server.Admin, server.Operator, server.Compliance}},
	{User: "officer", Roles: []server.Role{server.Compliance}},
	{User: "approver-1", Roles: []server.Role{server.Approver}},
	{User: "approver-2", Roles: []server.Role{server.Approver}},
	{User: "operator", Roles: []server.Role{server.Operator}},
	{User: "viewer", Roles: []server.Role{server.Viewer}},
}

// ensureUsers makes a token for each user that has none yet.
func ensureUsers(folder string) ([]TokenConfig, error) {
	users := slices.Clone(devUsers)
	for i := range users {
		users[i].File = filepath.Join(folder, users[i].User+".token")
		if _, err := ensureToken(users[i].File); err != nil {
			return nil, fleet.Errorf(fleet.ErrInvalid, "the token of %s: %w", users[i].User, err)
		}
	}
	return users, nil
}

// sandboxAccounts are the settings without which a cloud would not know whose
// account it works in; the sandbox's clouds have one of each.
var sandboxAccounts = map[string]map[string]string{
	"gcp": {"project": "meridian-sandbox"},
}

// checkDev answers every fault in the flags at once.
func checkDev(options DevOptions) error {
	c := &checker{reported: map[string]bool{}}
	if host, port, err := net.SplitHostPort(orDefault(options.Listen, defaultListen)); err != nil || !isPort(port) {
		c.fault("--listen", "want HOST:PORT, got %q", options.Listen)
	} else if !isLoopback(host) {
		c.fault("--listen", "%s can be reached from other machines; fleetd dev stays on this one: listen on 127.0.0.1", options.Listen)
	}
	if info, err := os.Stat(options.Kubebox); err != nil || info.IsDir() || info.Mode()&0o111 == 0 {
		c.fault("--kubebox", "%s is no program; build it with `make build`", options.Kubebox)
	}
	if options.DriftInterval < 0 {
		c.fault("--drift-interval", "must not be negative")
	}
	return c.err()
}

func isPort(text string) bool {
	_, err := strconv.ParseUint(text, 10, 16)
	return err == nil
}

func orDefault(value, fallback string) string {
	setDefault(&value, fallback)
	return value
}

// devDataDir defaults to a folder below XDG's for state.
func devDataDir(given string) (string, error) {
	if given == "" {
		state := os.Getenv("XDG_STATE_HOME")
		if !filepath.IsAbs(state) {
			home, err := os.UserHomeDir()
			if err != nil {
				return "", fleet.Errorf(fleet.ErrInvalid, "there is no home folder for the data: %w", err).Advise("set --data-dir")
			}
			state = filepath.Join(home, ".local", "state")
		}
		given = filepath.Join(state, "meridian")
	}
	absolute, err := filepath.Abs(given)
	if err != nil {
		return "", fleet.Errorf(fleet.ErrInvalid, "the data folder: %w", err).Advise("set --data-dir to an absolute path")
	}
	return absolute, nil
}
