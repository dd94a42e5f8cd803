package daemon

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/meridian-fleet/meridian/internal/inventory/postgrestest"
	"github.com/meridian-fleet/meridian/internal/temporalbox"
)

// temporalVariable makes the test binary a Temporal server on the folder it
// names, until its standard input is closed.
const temporalVariable = "MERIDIAN_TEST_TEMPORAL"

func TestMain(m *testing.M) {
	if dir := os.Getenv(temporalVariable); dir != "" {
		if err := serveTemporal(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	postgrestest.Main(m)
}

func serveTemporal(dir string) error {
	box, err := temporalbox.Start(context.Background(), temporalbox.Config{Dir: dir, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	certificate, key, authority := box.Credentials()
	for name, content := range map[string][]byte{"certificate.pem": certificate, "key.pem": key, "ca.pem": authority} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			return err
		}
	}
	if err := json.NewEncoder(os.Stdout).Encode(box.Address()); err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
		return err
	}
	return box.Stop()
}

// startTemporalProcess starts a Temporal server in a process of its own and
// returns its configuration.
func startTemporalProcess(t *testing.T) TemporalConfig {
	t.Helper()
	dir := t.TempDir()
	process := exec.Command(os.Args[0])
	process.Env = append(os.Environ(), temporalVariable+"="+dir)
	process.Stderr = os.Stderr
	input, err := process.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	output, err := process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		input.Close()
		if err := process.Wait(); err != nil {
			t.Errorf("the Temporal process: %v", err)
		}
	})
	var address string
	if err := json.NewDecoder(bufio.NewReader(output)).Decode(&address); err != nil {
		t.Fatalf("the Temporal process did not start: %v", err)
	}
	return TemporalConfig{Address: address, TLS: &TemporalTLS{
		Certificate: filepath.Join(dir, "certificate.pem"), Key: filepath.Join(dir, "key.pem"), CA: filepath.Join(dir, "ca.pem"),
	}}
}
