package evidence

import (
	"bytes"
	"context"
	"time"

	formats "github.com/transparency-dev/formats/log"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/inventory"
)

// looks is how often a verification looks for a moment at which no checkpoint
// is being published.
const looks = 200

// seen is what a verification compares with each other, of one moment of a log
// that may go on growing.
type seen struct {
	head  inventory.Head
	noted noted

	kept      []string
	untouched bool
	keptErr   error

	published    []byte
	publishedErr error
}

// look reads what is compared. What the inventory noted was kept before, so it
// is read first. The witness keeps a checkpoint just before it is published: in
// between the two differ, and one looks again.
func (v *verification) look(ctx context.Context) (err error) {
	if v.seen.head, err = v.config.Store.Head(ctx); err != nil {
		return err
	}
	if v.seen.noted, err = v.noted(ctx); err != nil {
		return err
	}
	poll := time.NewTicker(publishedPoll)
	defer poll.Stop()
	for range looks {
		v.seen.kept, v.seen.untouched, v.seen.keptErr = v.Log.kept.all()
		v.seen.published, v.seen.publishedErr = v.files.ReadCheckpoint(ctx)
		if v.seen.agree() || v.Err() != nil {
			return nil
		}
		select {
		case <-poll.C:
		case <-ctx.Done():
			return fleet.Errorf(fleet.ErrUnavailable, "verify: %w", ctx.Err()).On("evidence log")
		}
	}
	return nil
}

// agree reports whether what is published is what was kept last.
func (s *seen) agree() bool {
	if len(s.kept) == 0 {
		return false
	}
	var last, published formats.Checkpoint
	_, keptErr := last.Unmarshal([]byte(s.kept[len(s.kept)-1]))
	_, publishedErr := published.Unmarshal(s.published)
	return keptErr == nil && publishedErr == nil && last.Size == published.Size && bytes.Equal(last.Hash, published.Hash)
}
