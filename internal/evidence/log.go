package evidence

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/gofrs/flock"
	"github.com/transparency-dev/tessera"
	"github.com/transparency-dev/tessera/client"
	"github.com/transparency-dev/tessera/storage/posix"
	"golang.org/x/mod/sumdb/note"

	"github.com/meridian-fleet/meridian/internal/evidence/pack"
	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/inventory"
)

// Inventory is what the log follows: an inventory.Store is one.
type Inventory interface {
	Revision(ctx context.Context) (int64, error)
	Head(ctx context.Context) (inventory.Head, error)
	Logs(ctx context.Context) ([]inventory.NotedLog, error)
	NoteLog(ctx context.Context, log inventory.NotedLog) error
	Changes(ctx context.Context, query inventory.ChangeQuery) ([]inventory.RawChange, error)
	List(ctx context.Context, kind fleet.Kind, query inventory.Query) ([]fleet.Resource, error)
	Watch(ctx context.Context, kinds []fleet.Kind, after int64) (<-chan fleet.Change, error)
}

// Config says where the log is and what it follows.
type Config struct {
	Dir    string // of the log and its keys; made when it is not there
	Store  Inventory
	Logger *slog.Logger // slog's default when nil
	// WitnessDir is the folder of the witness in this process and of the
	// checkpoints kept: Dir/witness when empty. On another disk, with another
	// owner, it is worth more.
	WitnessDir string
	// External is a witness elsewhere, instead of the one in this process. It
	// is chosen once for a log.
	External *ExternalWitness
	// Shared says that other logs may follow the inventory as well, each of a
	// fleetd of its own. Else another one that did was removed.
	Shared bool
	// Replaces names logs that followed the inventory and are lost, or lost
	// entries.
	Replaces []string
}

// ExternalWitness is a C2SP tlog-witness that knows the log's key.
type ExternalWitness struct {
	URL string // add-checkpoint is below it
	Key string // its verifier key
}

// The timing of the log. An entry is in the tree some ten milliseconds after
// it was given, and under a witnessed checkpoint at most two intervals later.
const (
	batchAge           = 20 * time.Millisecond
	batchSize          = 256
	checkpointInterval = 100 * time.Millisecond // the least Tessera takes
	externalInterval   = time.Second            // between checkpoints when somebody else's witness is asked
	shutdownTimeout    = 10 * time.Second
)

// Kinds are the kinds of resources the log follows: what answers rest on, what
// they led to, and what says where a cluster is and which data a baseline
// handles.
var Kinds = append(slices.Clone(fleet.ResidencyKinds), fleet.KindDecision, fleet.KindRegion, fleet.KindCluster, fleet.KindBaseline)

// restless are kinds whose status is not followed: it says how work goes.
var restless = []fleet.Kind{fleet.KindRegion, fleet.KindCluster}

// follows reports whether a change gets an entry.
func follows(change inventory.RawChange) bool {
	return slices.Contains(Kinds, change.Ref.Kind) && (change.Action != "status" || !slices.Contains(restless, change.Ref.Kind))
}

// Log is an open log. It is safe for concurrent use.
type Log struct {
	config Config
	logger *slog.Logger
	lock   *flock.Flock
	files  client.FileFetcher
	kept   *kept
	actors actors

	key        signingKey
	witnessKey string // cosignature verifier key
	keys       pack.Keys
	private    *signingKey // of the witness in this process; nil with an external one

	appender *tessera.Appender
	shutdown func(context.Context) error
	reader   tessera.LogReader
	stop     context.CancelFunc // of the appender's and the recorder's work
	stopped  context.Context

	appending sync.Mutex
	next      uint64 // entries in the tree

	progress progress
	running  sync.WaitGroup
	mutex    sync.Mutex
	broken   error
}

// Open opens the log in a folder, makes it if it is not there, and begins to
// follow the inventory. A log that was tampered with opens, too: nothing is
// added to it, Err says why, and Verify says where. The error is ErrConflict
// when another process has it open, and ErrNeedsHuman when a key is missing.
func Open(ctx context.Context, config Config) (*Log, error) {
	if config.Dir == "" || config.Store == nil {
		return nil, fleet.Errorf(fleet.ErrInvalid, "the evidence log needs a folder and an inventory")
	}
	if config.Logger == nil {
		config.Logger = slog.Default()
	}
	if config.WitnessDir == "" {
		config.WitnessDir = filepath.Join(config.Dir, witnessFolder)
	}
	l := &Log{config: config, logger: config.Logger, files: client.FileFetcher{Root: filepath.Join(config.Dir, treeFolder)}}
	l.stopped, l.stop = context.WithCancel(context.WithoutCancel(ctx))
	if err := l.open(); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

func (l *Log) open() error {
	for _, folder := range []string{l.config.Dir, l.config.WitnessDir} {
		if err := os.MkdirAll(folder, 0o700); err != nil {
			return fleet.Errorf(fleet.ErrUnavailable, "%w", err).On("evidence log")
		}
	}
	if err := l.takeLock(); err != nil {
		return err
	}
	if err := l.loadKeys(); err != nil {
		return err
	}
	var err error
	if l.kept, err = openKept(filepath.Join(l.config.WitnessDir, keptFile)); errors.Is(err, fleet.ErrNeedsHuman) {
		l.fail(err)
		l.kept = &kept{path: filepath.Join(l.config.WitnessDir, keptFile)}
		return nil
	} else if err != nil {
		return err
	}
	err = l.plausible()
	if err == nil {
		err = l.followed(l.stopped)
	}
	if errors.Is(err, fleet.ErrNeedsHuman) {
		l.fail(err)
		return nil
	} else if err != nil {
		return err
	}
	return l.start()
}

func (l *Log) takeLock() error {
	l.lock = flock.New(filepath.Join(l.config.Dir, lockFile), flock.SetPermissions(0o600))
	locked, err := l.lock.TryLock()
	if err != nil {
		return fleet.Errorf(fleet.ErrUnavailable, "%w", err).On("evidence log")
	}
	if !locked {
		return fleet.Errorf(fleet.ErrConflict, "%s is in use by another process", l.config.Dir).On("evidence log")
	}
	return nil
}

// loadKeys reads the keys, and makes them for a log that does not exist yet.
func (l *Log) loadKeys() error {
	_, err := os.Stat(filepath.Join(l.config.Dir, treeFolder))
	isNew := os.IsNotExist(err)
	if _, err := os.Stat(filepath.Join(l.config.WitnessDir, keptFile)); err == nil {
		isNew = false
	}
	if l.key, err = loadKey(filepath.Join(l.config.Dir, logKeyFile), "evidence", isNew); err != nil {
		return err
	}
	if l.actors, err = loadActors(filepath.Join(l.config.Dir, actorKeyFile), isNew); err != nil {
		return err
	}
	var witness string
	if external := l.config.External; external != nil {
		witness = external.Key
	} else {
		private, err := loadKey(filepath.Join(l.config.WitnessDir, witnessKeyFile), "witness", isNew)
		if err != nil {
			return err
		}
		l.private, witness = &private, private.public
	}
	if l.witnessKey, err = cosigningKey(witness); err != nil {
		return err
	}
	l.keys, err = pack.NewKeys(l.key.public, l.witnessKey)
	return err
}

// start begins to append and to follow the inventory.
func (l *Log) start() error {
	options, transport, err := l.options()
	if err != nil {
		return err
	}
	driver, err := posix.New(l.stopped, posix.Config{Path: l.files.Root, HTTPClient: &http.Client{Transport: transport}})
	if err == nil {
		l.appender, l.shutdown, l.reader, err = tessera.NewAppender(l.stopped, driver, options)
	}
	if err != nil {
		return fleet.Errorf(fleet.ErrUnavailable, "open: %w", err).On("evidence log")
	}
	last, err := l.position(l.stopped)
	if errors.Is(err, fleet.ErrNeedsHuman) {
		l.fail(err)
		return nil
	} else if err != nil {
		return err
	}
	l.noteCheckpoint(l.stopped)
	l.progress.init(last)
	l.running.Go(func() { l.record(l.stopped, last) })
	return nil
}

// options of the appender. Checkpoints are published only when witnessed.
// Entries are told apart by revision, so nothing has to be deduplicated.
func (l *Log) options() (*tessera.AppendOptions, http.RoundTripper, error) {
	signer, err := note.NewSigner(l.key.private)
	if err != nil {
		return nil, nil, fleet.Errorf(fleet.ErrNeedsHuman, "%w", err).On("log key")
	}
	address, interval := "http://witness.invalid/", checkpointInterval
	var transport http.RoundTripper
	if l.config.External != nil {
		address, transport, interval = l.config.External.URL, http.DefaultTransport, externalInterval
	} else {
		witness, err := newWitness(*l.private, l.keys.Log, l.kept)
		if err != nil {
			return nil, nil, err
		}
		transport = inProcess{witness}
	}
	root, err := url.Parse(address)
	if err != nil {
		return nil, nil, fleet.Errorf(fleet.ErrInvalid, "%w", err).On("witness address")
	}
	witness, err := tessera.NewWitness(l.witnessKey, root)
	if err != nil {
		return nil, nil, fleet.Errorf(fleet.ErrInvalid, "%w", err).On("witness key")
	}
	options := tessera.NewAppendOptions().
		WithCheckpointSigner(signer).
		WithBatching(batchSize, batchAge).
		WithCheckpointInterval(interval).
		WithCheckpointRepublishInterval(0).
		WithShutdownTimeout(shutdownTimeout).
		WithWitnesses(tessera.NewWitnessGroup(1, witness), nil)
	return options, &keeper{witness: transport, verifier: l.keys.Witness, kept: l.kept, refused: l.fail}, nil
}

// fail stops all adding, for good: what is there needs a person.
func (l *Log) fail(err error) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if l.broken == nil {
		l.broken = err
		l.logger.Error("the evidence log takes no more entries", "error", err)
		l.stop()
	}
}

// Err says why the log takes no entries; nil when it does.
func (l *Log) Err() error {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.broken
}

// Keys are the verifier keys of the log and its witness, to be published.
func (l *Log) Keys() (log, witness string) { return l.key.public, l.witnessKey }

// Close ends following and appending; what was appended is under a witnessed
// checkpoint then.
func (l *Log) Close() error {
	var err error
	l.progress.end()
	l.running.Wait()
	if l.shutdown != nil && l.Err() == nil {
		if down := l.shutdown(l.stopped); down != nil {
			err = fleet.Errorf(fleet.ErrUnavailable, "%w", down).On("evidence log")
		}
		l.noteBeforeEnd()
	}
	l.stop()
	if l.lock != nil {
		err = errors.Join(err, l.lock.Unlock())
	}
	return err
}
