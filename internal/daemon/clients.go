package daemon

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// clientFile is what fleetctl reads.
type clientFile struct {
	Address string `json:"address"`
	Token   string `json:"token,omitempty"`
	CA      string `json:"ca,omitempty"`
	Users   string `json:"users,omitempty"` // folder with the tokens of all users
}

// clientFiles are the data folder's own and the one fleetctl looks at first.
func clientFiles(dataDir string) []string {
	files := []string{filepath.Join(dataDir, "client.json")}
	found := os.Getenv("MERIDIAN_CONFIG")
	if found == "" {
		folder, err := os.UserConfigDir()
		if err != nil {
			return files
		}
		found = filepath.Join(folder, "meridian", "client.json")
	}
	if absolute, err := filepath.Abs(found); err == nil && !slices.Contains(files, absolute) {
		files = append(files, absolute)
	}
	return files
}

// tellClients writes the files that lead fleetctl here, and removes them at
// the stop if they still do.
func (d *Daemon) tellClients(context.Context) error {
	if d.config.Client == nil {
		return nil
	}
	content, err := json.MarshalIndent(clientFile{Address: d.url(), Token: d.config.Client.Token, Users: d.config.Client.Users}, "", "  ")
	if err != nil {
		return err
	}
	content = append(content, '\n')
	for _, file := range d.config.Client.Files {
		if leadsElsewhere(file) {
			d.announce(fmt.Sprintf("%s names another server and is left alone; use fleetctl --config %s", file, d.config.Client.Files[0]))
			continue
		}
		if err := replaceFile(file, content); err != nil {
			return fmt.Errorf("write fleetctl's configuration: %w", err)
		}
		d.cleanup.add(file, func(context.Context) error { return removeOwn(file, content) })
	}
	return nil
}

// leadsElsewhere reports whether a file is the configuration of a server on
// another machine, or nothing we understand: not ours to replace.
func leadsElsewhere(file string) bool {
	content, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return false
	}
	var present clientFile
	if err != nil || json.Unmarshal(content, &present) != nil {
		return true
	}
	address, err := url.Parse(present.Address)
	return err != nil || !isLoopback(address.Hostname())
}

func removeOwn(file string, content []byte) error {
	present, err := os.ReadFile(file)
	if err == nil && !bytes.Equal(present, content) {
		return nil
	}
	return removeIfThere(file)
}

func (d *Daemon) announceReady(took time.Duration) {
	d.announce(fmt.Sprintf("ready in %.1f s; the API is at %s", took.Seconds(), d.url()))
	if d.config.Client != nil {
		d.announce("try: fleetctl get regions (this fleetd is found by itself)")
	}
}
