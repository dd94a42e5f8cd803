package evidence

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	formats "github.com/transparency-dev/formats/log"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/inventory"
)

// noteWithin bounds how long a log that closes waits for the inventory.
const noteWithin = 5 * time.Second

// detailOthers is the detail of a report that names other logs.
const detailOthers = "other logs of this inventory"

// noted are the checkpoints that the inventory keeps of its logs: they tell of
// one that was removed with its keys and its witness, and begun anew.
type noted struct {
	own    string // of this log; empty when there is none
	others []string
}

func (l *Log) noted(ctx context.Context) (noted, error) {
	var all noted
	logs, err := l.config.Store.Logs(ctx)
	for _, log := range logs {
		switch {
		case slices.Contains(l.config.Replaces, log.Name):
		case log.Name == l.keys.Log.Name():
			all.own = log.Checkpoint
		default:
			all.others = append(all.others, log.Name)
		}
	}
	return all, err
}

// alone refuses other logs, unless the inventory is shared.
func (l *Log) alone(others []string) error {
	if l.config.Shared || len(others) == 0 {
		return nil
	}
	name := others[0]
	return fleet.Errorf(fleet.ErrNeedsHuman, "the inventory was followed by the log %s, this one is %s: the former was removed or replaced", name, l.keys.Log.Name()).
		On("evidence log").Advise("restore it from a backup; if it is lost, say so in the configuration with evidence.replaces: [%s]", name)
}

// followed checks, before anything is added, that this is the log that followed
// the inventory before, with all the entries it had.
func (l *Log) followed(ctx context.Context) error {
	all, err := l.noted(ctx)
	if err == nil {
		err = l.alone(all.others)
	}
	if err != nil || all.own == "" {
		return err
	}
	checkpoint, err := l.keys.Open(all.own)
	if err != nil {
		return fleet.Errorf(fleet.ErrNeedsHuman, "the checkpoint noted in the inventory: %w", err).On("evidence log").Advise("restore the log and its keys from a backup")
	}
	state, _, err := l.integrated()
	if err == nil && state.Size < checkpoint.Size {
		err = fleet.Errorf(fleet.ErrNeedsHuman, "the inventory noted %d entries, there are %d: the log was cut off", checkpoint.Size, state.Size).
			On("evidence log").Advise("restore it from a backup; if that is all there is, say so in the configuration with evidence.replaces: [%s]", l.keys.Log.Name())
	}
	return err
}

// noteCheckpoint keeps the newest checkpoint in the inventory. What fails is
// done the next time.
func (l *Log) noteCheckpoint(ctx context.Context) {
	all, err := l.sizes()
	if err == nil && len(all) > 0 {
		err = l.config.Store.NoteLog(ctx, inventory.NotedLog{Name: l.keys.Log.Name(), Checkpoint: all[len(all)-1].raw})
	}
	if err != nil {
		l.logger.WarnContext(ctx, "the inventory was not told how far the evidence log is", "error", err)
	}
}

func (l *Log) noteBeforeEnd() {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(l.stopped), noteWithin)
	defer cancel()
	l.noteCheckpoint(ctx)
}

// checkHead looks at what the inventory says of itself and of its logs.
func (v *verification) checkHead() {
	if broken := v.seen.head.Whole(); broken != nil {
		v.fault("the inventory's history", "%v", broken)
	}
	all := v.seen.noted
	if len(all.others) > 0 {
		v.report.Details[detailOthers] = strings.Join(all.others, ", ")
	}
	if removed := v.alone(all.others); removed != nil {
		v.fault("log "+all.others[0], "%v", removed)
	}
	if missing := v.missing(all.own); missing != "" {
		v.fault("checkpoint noted in the inventory", "%s", missing)
	}
}

// missing says why a checkpoint is not one of those kept; empty when it is.
func (v *verification) missing(raw string) string {
	if raw == "" {
		return ""
	}
	checkpoint, err := v.keys.Open(raw)
	if err != nil {
		return err.Error()
	}
	if slices.ContainsFunc(v.kept, func(kept formats.Checkpoint) bool {
		return kept.Size == checkpoint.Size && bytes.Equal(kept.Hash, checkpoint.Hash)
	}) {
		return ""
	}
	return fmt.Sprintf("the witness saw no such log of %d entries: the log and the witness's checkpoints were cut off or rewritten", checkpoint.Size)
}
