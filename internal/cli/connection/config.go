package connection

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// Config is the content of a client configuration file.
type Config struct {
	Address string `json:"address"`
	Token   string `json:"token,omitempty"`
	CA      string `json:"ca,omitempty"` // PEM; the system's when empty
	// Users is a folder with a file NAME.token for each user of the server;
	// the folder users beside the configuration when empty.
	Users string `json:"users,omitempty"`
}

// Flags are the command line's say in it.
type Flags struct {
	ConfigFile string
	Server     string
	TokenFile  string
	User       string
}

// Load reads the configuration: flags before environment before file.
func Load(flags Flags, getenv func(string) string) (Config, error) {
	if flags.TokenFile != "" && flags.User != "" {
		return Config{}, fleet.Errorf(fleet.ErrInvalid, "--user and --token-file do not go together")
	}
	path, named := configFile(flags, getenv)
	config, err := readFile(path, named || flags.Server == "")
	if err != nil {
		return Config{}, err
	}
	if config.Users == "" {
		config.Users = filepath.Join(filepath.Dir(path), "users")
	}
	elsewhere := flags.Server != "" && flags.Server != config.Address
	if elsewhere {
		// A token belongs to the server it was given for.
		config = Config{Address: flags.Server, CA: config.CA}
	}
	if config.Token, err = chooseToken(config, flags, getenv, elsewhere); err != nil {
		return Config{}, err
	}
	config.Address = strings.TrimRight(config.Address, "/")
	return config, config.check(flags.Server != "")
}

// chooseToken says who asks.
func chooseToken(config Config, flags Flags, getenv func(string) string, elsewhere bool) (string, error) {
	user := getenv("MERIDIAN_USER")
	switch token := getenv("MERIDIAN_TOKEN"); {
	case flags.TokenFile != "":
		return readToken(flags.TokenFile)
	case flags.User != "" && elsewhere:
		return "", fleet.Errorf(fleet.ErrInvalid, "the users beside the configuration are those of another server").
			At(fleet.Position{}, "--user").Advise("use --token-file")
	case flags.User != "":
		return userToken(config.Users, flags.User)
	case token != "":
		return token, nil
	case user != "" && !elsewhere:
		return userToken(config.Users, user)
	}
	return config.Token, nil
}

// userToken reads the token of one of the users that fleetd keeps files for.
func userToken(folder, user string) (string, error) {
	path := filepath.Join(folder, user+tokenExtension)
	_, err := os.Stat(path)
	if filepath.Base(user) == user && err == nil {
		return readToken(path)
	}
	fault := fleet.Errorf(fleet.ErrInvalid, "there is no token of a user %q in %s", user, folder)
	if known := Users(folder); len(known) > 0 {
		return "", fault.Advise("users are %s", strings.Join(known, ", "))
	}
	return "", fault
}

const tokenExtension = ".token"

// Users lists those that a folder has tokens of.
func Users(folder string) []string {
	entries, _ := os.ReadDir(folder) // none there: no users
	var users []string
	for _, entry := range entries {
		if name, ok := strings.CutSuffix(entry.Name(), tokenExtension); ok && !entry.IsDir() {
			users = append(users, name)
		}
	}
	return users
}

// configFile is the file that flags or environment name, else the default one.
func configFile(flags Flags, getenv func(string) string) (path string, named bool) {
	if flags.ConfigFile != "" {
		return flags.ConfigFile, true
	}
	if path := getenv("MERIDIAN_CONFIG"); path != "" {
		return path, true
	}
	directory, err := os.UserConfigDir()
	if err != nil {
		directory = "."
	}
	return filepath.Join(directory, "meridian", "client.json"), false
}

// readFile reads a configuration. The default one need not be there when a
// server is named. fleetd writes the file when it starts: that there is none
// means that nobody answers yet.
func readFile(path string, needed bool) (Config, error) {
	content, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !needed:
		return Config{}, nil
	case errors.Is(err, fs.ErrNotExist):
		return Config{}, fleet.Errorf(fleet.ErrUnavailable, "no client configuration at %s: is fleetd running? start it with `fleetd dev`, or name one with --server or --config", path)
	case err != nil:
		return Config{}, fleet.Errorf(fleet.ErrInvalid, "cannot read the client configuration: %w", reason(err)).At(fleet.Position{File: path}, "")
	}
	return decode(path, content)
}

func decode(path string, content []byte) (Config, error) {
	decoder := json.NewDecoder(bytes.NewReader(content))
	decoder.DisallowUnknownFields()
	var config Config
	err := decoder.Decode(&config)
	if err == nil && decoder.Decode(new(any)) != io.EOF {
		err = errors.New("more than one JSON value")
	}
	if err != nil {
		return Config{}, fleet.Errorf(fleet.ErrInvalid, "not a client configuration: %w", err).
			At(fleet.Position{File: path}, "").Advise(`want {"address": "http://127.0.0.1:PORT", "token": "…"}`)
	}
	return config, nil
}

func readToken(path string) (string, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return "", fleet.Errorf(fleet.ErrInvalid, "cannot read the token: %w", reason(err)).At(fleet.Position{File: path}, "")
	}
	token := strings.TrimSpace(string(content))
	if token == "" || strings.ContainsAny(token, " \t\r\n") {
		return "", fleet.Errorf(fleet.ErrInvalid, "want one token in the file").At(fleet.Position{File: path}, "")
	}
	return token, nil
}

func (c Config) check(fromFlag bool) error {
	field := "address"
	if fromFlag {
		field = "--server"
	}
	address, err := url.Parse(c.Address)
	if err != nil || address.Host == "" || address.Scheme != "http" && address.Scheme != "https" {
		return fleet.Errorf(fleet.ErrInvalid, "want an address such as http://127.0.0.1:8080, got %q", c.Address).At(fleet.Position{}, field)
	}
	return nil
}

// reason strips the operation and the path, which the message already has.
func reason(err error) error {
	var pathError *fs.PathError
	if errors.As(err, &pathError) {
		return pathError.Err
	}
	return err
}
