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
}

// Flags are the command line's say in it.
type Flags struct {
	ConfigFile string
	Server     string
	TokenFile  string
}

// Load reads the configuration: flags before environment before file.
func Load(flags Flags, getenv func(string) string) (Config, error) {
	config, err := readFile(flags, getenv)
	if err != nil {
		return Config{}, err
	}
	if flags.Server != "" && flags.Server != config.Address {
		// A token belongs to the server it was given for.
		config = Config{Address: flags.Server, CA: config.CA}
	}
	if token := getenv("MERIDIAN_TOKEN"); token != "" {
		config.Token = token
	}
	if flags.TokenFile != "" {
		if config.Token, err = readToken(flags.TokenFile); err != nil {
			return Config{}, err
		}
	}
	config.Address = strings.TrimRight(config.Address, "/")
	return config, config.check(flags.Server != "")
}

// readFile reads the file that flags or environment name, else the default
// one, which need not be there when a server is named. fleetd writes the file
// when it starts: that there is none means that nobody answers yet.
func readFile(flags Flags, getenv func(string) string) (Config, error) {
	path, named := flags.ConfigFile, true
	if path == "" {
		path = getenv("MERIDIAN_CONFIG")
	}
	if path == "" {
		directory, err := os.UserConfigDir()
		if err != nil {
			directory = "."
		}
		path, named = filepath.Join(directory, "meridian", "client.json"), false
	}
	content, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !named && flags.Server != "":
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
