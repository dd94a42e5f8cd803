package inventory

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"time"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// database is the Store on any SQL database that understands the statements
// in this package; dialect holds what differs.
type database struct {
	dialect dialect
	write   *sql.DB // transactions that may change something
	read    *sql.DB // everything else
	now     func() time.Time
	wake    *broadcast
	stop    context.CancelFunc // ends watches and listeners
	stopped context.Context
	opening sync.RWMutex   // held for writing while the database is closed
	running sync.WaitGroup // watches and listeners
	listen  sync.Once
}

// dialect is what differs between databases.
type dialect struct {
	// lockHead reads the newest revision and its time, and keeps other writers
	// out until the transaction ends.
	lockHead string
	// kindOf classifies the driver's errors.
	kindOf func(error) *fleet.ErrorKind
	// listen calls changed whenever another process may have written, until
	// the context ends; nil when the database cannot tell.
	listen func(ctx context.Context, changed func())
}

func newDatabase(d dialect, write, read *sql.DB) *database {
	stopped, stop := context.WithCancel(context.Background())
	return &database{
		dialect: d, write: write, read: read, now: time.Now,
		wake: newBroadcast(), stop: stop, stopped: stopped,
	}
}

// Ping reports whether the database answers.
func (d *database) Ping(ctx context.Context) error {
	var one int
	return d.wrap(d.read.QueryRowContext(ctx, "SELECT 1").Scan(&one), "reach the inventory")
}

// Close ends all watches and closes the database.
func (d *database) Close() error {
	d.opening.Lock()
	d.stop()
	d.opening.Unlock()
	d.running.Wait()
	return d.wrap(errors.Join(d.read.Close(), d.write.Close()), "close the inventory")
}

// launch runs something beside the callers until the database is closed. It
// reports whether it still may: nothing begins once Close waits for the rest.
func (d *database) launch(do func()) bool {
	d.opening.RLock()
	defer d.opening.RUnlock()
	if d.stopped.Err() != nil {
		return false
	}
	d.running.Go(do)
	return true
}

// wrap gives a driver's error its kind; errors that have one keep it.
func (d *database) wrap(err error, doing string) error {
	var own *fleet.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &own):
		return err
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded), errors.Is(err, sql.ErrConnDone), errors.Is(err, sql.ErrTxDone):
		return fleet.Errorf(fleet.ErrUnavailable, "%s: %w", doing, err)
	}
	kind := d.dialect.kindOf(err)
	if d.stopped.Err() != nil {
		kind = fleet.ErrUnavailable
	}
	return fleet.Errorf(kind, "%s: %w", doing, err)
}
