package daemon

import (
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// teller is a daemon that has got as far as telling its clients.
func teller(t *testing.T, files ...string) (*Daemon, *[]string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	var said []string
	d := &Daemon{config: Config{Client: &ClientConfig{Files: files, Token: "secret"}}, listener: listener,
		announce: func(line string) { said = append(said, line) }}
	d.cleanup.logger = slog.New(slog.DiscardHandler)
	return d, &said
}

func TestClientsAreToldAndForgotten(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	files := []string{filepath.Join(dir, "data", "client.json"), filepath.Join(dir, "config", "meridian", "client.json")}
	d, _ := teller(t, files...)
	if err := d.tellClients(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var found clientFile
		if err := json.Unmarshal(content, &found); err != nil || found.Address != d.url() || found.Token != "secret" {
			t.Errorf("%s has %s", file, content)
		}
		if info, _ := os.Stat(file); info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %s", file, info.Mode())
		}
	}
	// Another fleetd took the second one over.
	if err := os.WriteFile(files[1], []byte(`{"address": "http://127.0.0.1:1"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := d.cleanup.run(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(files[0]); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("its own file is left: %v", err)
	}
	if _, err := os.Stat(files[1]); err != nil {
		t.Errorf("another's file is gone: %v", err)
	}
}

func TestAnotherServersClientsAreLeftAlone(t *testing.T) {
	t.Parallel()
	for _, content := range []string{`{"address": "https://fleet.example.com", "token": "x"}`, "notes of mine"} {
		dir := t.TempDir()
		own, theirs := filepath.Join(dir, "own.json"), filepath.Join(dir, "theirs.json")
		if err := os.WriteFile(theirs, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		d, said := teller(t, own, theirs)
		if err := d.tellClients(t.Context()); err != nil {
			t.Fatal(err)
		}
		if left, _ := os.ReadFile(theirs); string(left) != content {
			t.Errorf("replaced %s", content)
		}
		if !strings.Contains(strings.Join(*said, "\n"), "--config "+own) {
			t.Errorf("nobody is told what to do: %q", *said)
		}
		if err := d.cleanup.run(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAStaleFileIsReplaced(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "client.json")
	if err := os.WriteFile(file, []byte(`{"address": "http://127.0.0.1:1", "token": "old"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	d, _ := teller(t, file)
	if err := d.tellClients(t.Context()); err != nil {
		t.Fatal(err)
	}
	if content, _ := os.ReadFile(file); !strings.Contains(string(content), d.url()) {
		t.Errorf("it still has %s", content)
	}
}

func TestClientFiles(t *testing.T) {
	t.Setenv("MERIDIAN_CONFIG", "/somewhere/client.json")
	if got := clientFiles("/data"); !slices.Equal(got, []string{"/data/client.json", "/somewhere/client.json"}) {
		t.Errorf("got %q", got)
	}
	t.Setenv("MERIDIAN_CONFIG", "/data/client.json")
	if got := clientFiles("/data"); !slices.Equal(got, []string{"/data/client.json"}) {
		t.Errorf("got %q", got)
	}
	t.Setenv("MERIDIAN_CONFIG", "")
	t.Setenv("XDG_CONFIG_HOME", "/home/me/.config")
	if got := clientFiles("/data"); len(got) != 2 || filepath.Base(filepath.Dir(got[1])) != "meridian" {
		t.Errorf("got %q", got)
	}
}
