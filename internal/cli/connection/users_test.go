package connection_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/meridian-fleet/meridian/internal/cli/connection"
	"github.com/meridian-fleet/meridian/internal/fleet"
)

// Flags come before environment before the configuration.
func TestChoosingTheUser(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	for name, content := range map[string]string{
		"client.json":           `{"address": "http://127.0.0.1:1", "token": "own"}`,
		"elsewhere.json":        `{"address": "http://127.0.0.1:1", "token": "own", "users": "` + filepath.Join(folder, "other") + `"}`,
		"users/ann.token":       "ann's\n",
		"users/bob.token":       "bob's\n",
		"other/ann.token":       "other-ann's\n",
		"file.token":            "file's\n",
		"users/notes/eve.token": "eve's\n",
	} {
		path := filepath.Join(folder, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	config, file := filepath.Join(folder, "client.json"), filepath.Join(folder, "file.token")
	for _, test := range []struct {
		name        string
		flags       connection.Flags
		user, token string // of the environment
		want        string
	}{
		{"nobody is named", connection.Flags{}, "", "", "own"},
		{"a flag", connection.Flags{User: "ann"}, "", "", "ann's"},
		{"the environment's user", connection.Flags{}, "bob", "", "bob's"},
		{"a flag over the environment", connection.Flags{User: "ann"}, "bob", "environment's", "ann's"},
		{"the environment's token over its user", connection.Flags{}, "bob", "environment's", "environment's"},
		{"a file over the environment", connection.Flags{TokenFile: file}, "bob", "environment's", "file's"},
		{"users elsewhere", connection.Flags{User: "ann", ConfigFile: filepath.Join(folder, "elsewhere.json")}, "", "", "other-ann's"},
		{"another server, whose users are not here", connection.Flags{Server: "http://127.0.0.1:2"}, "bob", "", ""},
		{"the same server", connection.Flags{Server: "http://127.0.0.1:1", User: "bob"}, "", "", "bob's"},
	} {
		environment := map[string]string{"MERIDIAN_CONFIG": config, "MERIDIAN_USER": test.user, "MERIDIAN_TOKEN": test.token}
		got, err := connection.Load(test.flags, func(name string) string { return environment[name] })
		if err != nil || got.Token != test.want {
			t.Errorf("%s: %q, %v", test.name, got.Token, err)
		}
	}
	for name, flags := range map[string]connection.Flags{
		"unknown": {User: "eve"}, "a path": {User: "notes/eve"}, "a way out": {User: "../file"}, "nothing": {User: "."},
		"both": {User: "ann", TokenFile: file}, "another server's": {User: "ann", Server: "http://127.0.0.1:2"},
	} {
		environment := map[string]string{"MERIDIAN_CONFIG": config}
		if _, err := connection.Load(flags, func(name string) string { return environment[name] }); !errors.Is(err, fleet.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
