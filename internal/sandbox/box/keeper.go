package box

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

const (
	startTimeout = 3 * time.Minute

	// A process that dies is started again after a pause that doubles while it
	// keeps dying, and is back at the shortest once it has lasted.
	shortestPause = 100 * time.Millisecond
	longestPause  = 10 * time.Second
	lasted        = 30 * time.Second

	// startsTried is how many starts may fail before who waits is told. The
	// keeper goes on trying.
	startsTried = 3
)

// errGone is what waiting for a process ends with that is supervised no more.
var errGone = errors.New("no longer supervised")

// State is what a supervised process is doing.
type State string

// The states.
const (
	Starting State = "starting"
	Ready    State = "ready"
	Stopped  State = "stopped" // on purpose, until it is started again
	Failing  State = "failing" // died, or could not start; will be tried again
)

// keeper keeps one process running, as long as it is wanted.
type keeper struct {
	name     string
	logger   *slog.Logger
	slots    chan struct{}               // how many may be starting at once
	describe func() specification        // how to start it now
	awaited  func(context.Context) error // what must be there before it starts
	finished chan struct{}               // closed when the keeper has ended
	cancel   context.CancelFunc

	mutex    sync.Mutex
	changed  chan struct{} // closed and replaced when something below changes
	wanted   bool
	state    State
	current  *process
	endpoint string
	failures int   // starts that failed since it was last ready
	failure  error // the last one
	starts   int
}

// keep starts to supervise a process.
func keep(name string, logger *slog.Logger, slots chan struct{}, describe func() specification, awaited func(context.Context) error) *keeper {
	ctx, cancel := context.WithCancel(context.Background())
	k := &keeper{
		name:     name,
		logger:   logger.With("process", name),
		slots:    slots,
		describe: describe,
		awaited:  awaited,
		finished: make(chan struct{}),
		cancel:   cancel,
		changed:  make(chan struct{}),
		wanted:   true,
		state:    Starting,
	}
	go k.run(ctx)
	return k
}

// close ends the process and the supervision.
func (k *keeper) close() {
	k.cancel()
	<-k.finished
}

// want says whether the process should run. Wanting it anew forgives what it
// failed with before.
func (k *keeper) want(wanted bool) {
	k.update(func() {
		if wanted && !k.wanted {
			k.failures, k.failure = 0, nil
		}
		k.wanted = wanted
	})
}

// kill ends the process as a crash would. It reports whether there was one.
func (k *keeper) kill() (killed bool) {
	k.update(func() {
		if killed = k.current != nil; killed {
			k.state = Failing
			k.current.kill()
		}
	})
	return killed
}

func (k *keeper) run(ctx context.Context) {
	defer close(k.finished)
	pause := shortestPause
	for k.awaitWanted(ctx) {
		began := time.Now()
		err := k.live(ctx)
		if ctx.Err() != nil {
			return
		}
		if err == nil { // stopped on purpose
			continue
		}
		k.fail(err)
		if time.Since(began) > lasted {
			pause = shortestPause
		}
		k.pause(ctx, pause)
		pause = min(2*pause, longestPause)
	}
}

// pause waits before the next start, less if the process is to be stopped.
func (k *keeper) pause(ctx context.Context, length time.Duration) {
	pausing, stop := context.WithTimeout(ctx, length)
	defer stop()
	_ = k.await(pausing, func() bool { return !k.wanted })
}

// awaitWanted returns when the process should run; false when the keeper ends.
func (k *keeper) awaitWanted(ctx context.Context) bool {
	k.update(func() {
		if !k.wanted {
			k.state = Stopped
		}
	})
	return k.await(ctx, func() bool { return k.wanted }) == nil
}

// live takes the process through one life. It returns nil if it was stopped on
// purpose, and else why it ended.
func (k *keeper) live(ctx context.Context) error {
	wanted, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		defer stop()
		_ = k.await(wanted, func() bool { return !k.wanted })
	}()
	k.update(func() { k.state = Starting })
	started, err := k.start(wanted)
	if wanted.Err() != nil && err != nil {
		return nil
	}
	if err != nil {
		return err
	}
	select {
	case <-started.exited:
		return started.failure
	case <-wanted.Done():
		k.forget()
		started.stop()
		return nil
	}
}

// start starts the process and returns once it is ready.
func (k *keeper) start(ctx context.Context) (*process, error) {
	if err := k.awaited(ctx); err != nil {
		return nil, err
	}
	select {
	case k.slots <- struct{}{}:
		defer func() { <-k.slots }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	started, err := launch(k.describe())
	if err != nil {
		return nil, err
	}
	k.update(func() { k.current = started; k.starts++ })
	endpoint, err := k.awaitReady(ctx, started)
	if err != nil {
		k.forget()
		started.stop()
		return nil, err
	}
	k.logger.Debug("ready", "endpoint", endpoint, "pid", started.id())
	k.update(func() {
		k.state, k.endpoint, k.failures, k.failure = Ready, endpoint, 0, nil
	})
	return started, nil
}

func (k *keeper) awaitReady(ctx context.Context, started *process) (endpoint string, err error) {
	timeout := time.NewTimer(startTimeout)
	defer timeout.Stop()
	select {
	case endpoint = <-started.ready:
		return endpoint, nil
	case <-started.exited:
		return "", started.failure
	case <-timeout.C:
		return "", fmt.Errorf("not ready after %s: %s", startTimeout, lastLine(started.logFile))
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

func (k *keeper) forget() { k.update(func() { k.current = nil }) }

func (k *keeper) fail(err error) {
	k.logger.Warn("restarting", "error", err)
	k.update(func() {
		k.state, k.current, k.failure = Failing, nil, err
		k.failures++
	})
}

// update changes the keeper's state and wakes who awaits a change.
func (k *keeper) update(change func()) {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	change()
	close(k.changed)
	k.changed = make(chan struct{})
}

// await returns when a condition on the keeper's state holds.
func (k *keeper) await(ctx context.Context, condition func() bool) error {
	for {
		k.mutex.Lock()
		holds, changed := condition(), k.changed
		k.mutex.Unlock()
		if holds {
			return nil
		}
		select {
		case <-changed:
		case <-k.finished:
			return errGone
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// hopeless reports whether further starts have no prospect; for use in await.
func (k *keeper) hopeless() bool {
	return k.failure != nil && (k.failures >= startsTried || errors.Is(k.failure, errMisused))
}
