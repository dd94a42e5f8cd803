package evidence

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	formats "github.com/transparency-dev/formats/log"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// kept is the file of all witnessed checkpoints, one JSON text a line, only
// added to. It is the witness's memory.
type kept struct {
	path string

	mutex sync.Mutex
	last  formats.Checkpoint
	count int
	chain [sha256.Size]byte // over all lines: what the file must still say
}

// openKept reads the file. A line without its end was being written when the
// process ended, and its checkpoint never got out; it is cut off.
func openKept(path string) (*kept, error) {
	content, err := os.ReadFile(path) //nolint:gosec // below the folder the administrator chose
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fleet.Errorf(fleet.ErrUnavailable, "%w", err).On(path)
	}
	whole := content[:bytes.LastIndexByte(content, '\n')+1]
	if len(whole) < len(content) {
		if err := os.Truncate(path, int64(len(whole))); err != nil {
			return nil, fleet.Errorf(fleet.ErrUnavailable, "%w", err).On(path)
		}
	}
	k := &kept{path: path}
	checkpoints, err := splitKept(whole)
	if err != nil {
		return nil, err
	}
	for _, checkpoint := range checkpoints {
		k.count++
		k.chain = chained(k.chain, checkpoint)
	}
	if k.count > 0 {
		if _, err := k.last.Unmarshal([]byte(checkpoints[k.count-1])); err != nil {
			return nil, fleet.Errorf(fleet.ErrNeedsHuman, "the last checkpoint kept cannot be read: %w", err)
		}
	}
	return k, nil
}

func splitKept(content []byte) ([]string, error) {
	var checkpoints []string
	for line := range bytes.Lines(content) {
		var checkpoint string
		if err := json.Unmarshal(line, &checkpoint); err != nil {
			return checkpoints, fleet.Errorf(fleet.ErrNeedsHuman, "line %d of the checkpoints kept cannot be read: %w", len(checkpoints)+1, err)
		}
		checkpoints = append(checkpoints, checkpoint)
	}
	return checkpoints, nil
}

func chained(chain [sha256.Size]byte, checkpoint string) [sha256.Size]byte {
	return sha256.Sum256(append(chain[:], checkpoint...))
}

// newest is the last checkpoint kept; ok is false when there is none.
func (k *kept) newest() (last formats.Checkpoint, ok bool) {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	return k.last, k.count > 0
}

// keep adds a checkpoint, durably. One for the tree it has last adds nothing.
func (k *kept) keep(checkpoint string) error {
	var parsed formats.Checkpoint
	if _, err := parsed.Unmarshal([]byte(checkpoint)); err != nil {
		return fleet.Errorf(fleet.ErrInternal, "keep a checkpoint: %w", err)
	}
	k.mutex.Lock()
	defer k.mutex.Unlock()
	if k.count > 0 && parsed.Size == k.last.Size && bytes.Equal(parsed.Hash, k.last.Hash) {
		return nil
	}
	line, err := json.Marshal(checkpoint)
	if err == nil {
		err = addLine(k.path, append(line, '\n'), k.count == 0)
	}
	if err != nil {
		return fleet.Errorf(fleet.ErrUnavailable, "keep a checkpoint: %w", err)
	}
	k.last, k.count, k.chain = parsed, k.count+1, chained(k.chain, checkpoint)
	return nil
}

// addLine appends to a file and waits until it is on the disk. What could not
// be written whole is taken back.
func addLine(path string, line []byte, isNew bool) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600) //nolint:gosec // below the folder the administrator chose
	if err != nil {
		return err
	}
	defer file.Close()
	before, err := file.Stat()
	if err != nil {
		return err
	}
	if _, err = file.Write(line); err == nil {
		err = file.Sync()
	}
	if err != nil {
		return errors.Join(err, file.Truncate(before.Size()))
	}
	if isNew {
		return syncFolder(filepath.Dir(path))
	}
	return nil
}

// all reads the checkpoints from the file, and reports whether it still says
// what was written to it.
func (k *kept) all() (checkpoints []string, untouched bool, err error) {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	content, err := os.ReadFile(k.path) //nolint:gosec // as above
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, false, fleet.Errorf(fleet.ErrUnavailable, "%w", err).On(k.path)
	}
	checkpoints, err = splitKept(content)
	var chain [sha256.Size]byte
	for _, checkpoint := range checkpoints {
		chain = chained(chain, checkpoint)
	}
	return checkpoints, err == nil && chain == k.chain, nil
}
