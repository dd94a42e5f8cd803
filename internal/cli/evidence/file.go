package evidence

import (
	"context"
	"encoding/base64"
	"errors"
	"io/fs"
	"os"
	"strings"

	"github.com/meridian-fleet/meridian/internal/cli/failure"
	"github.com/meridian-fleet/meridian/internal/evidence/pack"
	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/residency/report"
)

// options are what the flags say of the keys and of the log's past.
func (o *VerifyOptions) options() (pack.Options, error) {
	var options pack.Options
	for _, word := range o.Keys {
		keys, err := keysOf(word)
		if err != nil {
			return options, err
		}
		for _, key := range keys {
			if err := trust(&options, key); err != nil {
				return options, err
			}
		}
	}
	if o.Earlier == "" {
		return options, nil
	}
	var err error
	options.Earlier, err = checkpoint(o.Earlier)
	return options, err
}

// checkpoint is the one an older report was sealed under, or the file itself.
func checkpoint(path string) (string, error) {
	content, err := read(path)
	if err != nil {
		return "", err
	}
	if sealed, _, err := report.Extract(content); err == nil && sealed != nil {
		return pack.Checkpoint(sealed)
	}
	return string(content), nil
}

// keysOf reads a key, or a file with a key on each line.
func keysOf(word string) ([]string, error) {
	if _, err := os.Stat(word); err != nil {
		if strings.Count(word, "+") >= 2 {
			return []string{word}, nil
		}
		return nil, failure.Usagef("neither a verifier key nor a file: %q", word).At(fleet.Position{}, "--key").
			Advise("a key is NAME+HASH+BASE64, as `fleetctl evidence verify` shows it")
	}
	content, err := read(word)
	if err != nil {
		return nil, err
	}
	var keys []string
	for line := range strings.Lines(string(content)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			keys = append(keys, line)
		}
	}
	if len(keys) == 0 {
		return nil, failure.Usagef("no keys in it").At(fleet.Position{File: word}, "--key")
	}
	return keys, nil
}

// The first byte of a verifier key's last part says what it signs: checkpoints
// of a log, or cosignatures of a witness.
const (
	signsLog      = 1
	signsCosigned = 4
)

func trust(options *pack.Options, key string) error {
	parts := strings.SplitN(key, "+", 3)
	public, err := base64.StdEncoding.DecodeString(parts[len(parts)-1])
	if len(parts) != 3 || err != nil || len(public) == 0 || public[0] != signsLog && public[0] != signsCosigned {
		return failure.Usagef("not a verifier key of a log or witness: %q", key).At(fleet.Position{}, "--key")
	}
	to := &options.LogKey
	if public[0] == signsCosigned {
		to = &options.WitnessKey
	}
	if *to != "" && *to != key {
		return failure.Usagef("two different keys of the same kind").At(fleet.Position{}, "--key")
	}
	*to = key
	return nil
}

func read(path string) ([]byte, error) {
	content, err := os.ReadFile(path) //nolint:gosec // the caller's own choice
	if err == nil {
		return content, nil
	}
	kind := fleet.ErrInvalid
	if errors.Is(err, fs.ErrNotExist) {
		kind = fleet.ErrNotFound
	}
	var inside *fs.PathError
	if errors.As(err, &inside) {
		err = inside.Err
	}
	return nil, fleet.Errorf(kind, "cannot be read: %w", err).At(fleet.Position{File: path}, "")
}

// file verifies a report with nothing but itself.
func (o *VerifyOptions) file(context.Context) (fleet.EvidenceReport, error) {
	options, err := o.options()
	if err != nil {
		return fleet.EvidenceReport{}, err
	}
	content, err := read(o.File)
	if err != nil {
		return fleet.EvidenceReport{}, err
	}
	sidecar, err := read(report.SidecarName(o.File))
	if err != nil {
		sidecar = nil // only a CSV has one, and misses it
	}
	return report.Verify(content, sidecar, options)
}
