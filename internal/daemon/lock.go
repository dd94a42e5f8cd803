package daemon

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/gofrs/flock"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// lockDataDir keeps a second fleetd off a data folder. The kernel frees the
// lock whatever way the process ends.
func lockDataDir(dir string) (*flock.Flock, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fleet.Errorf(fleet.ErrInvalid, "the data folder cannot be made: %w", err)
	}
	path := filepath.Join(dir, "fleetd.lock")
	lock := flock.New(path, flock.SetPermissions(0o600))
	locked, err := lock.TryLock()
	if err != nil {
		return nil, fleet.Errorf(fleet.ErrUnavailable, "lock the data folder %s: %w", dir, err)
	}
	if !locked {
		return nil, fleet.Errorf(fleet.ErrConflict, "the data folder %s is in use by another fleetd%s", dir, holder(path))
	}
	if err := os.WriteFile(path, fmt.Appendln(nil, os.Getpid()), 0o600); err != nil {
		return nil, fleet.Errorf(fleet.ErrUnavailable, "lock the data folder %s: %w", dir, err)
	}
	return lock, nil
}

func holder(path string) string {
	content, err := os.ReadFile(path)
	if pid := strings.TrimSpace(string(content)); err == nil && pid != "" {
		return fmt.Sprintf(" (pid %s)", pid)
	}
	return ""
}
