package inventory

import (
	"context"
	"encoding/json"
	"time"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// Store is the inventory. Errors carry a fleet error kind: ErrNotFound for a
// resource that is not there, ErrConflict for a write the present state does
// not admit, ErrInvalid for a malformed one, ErrUnavailable when the database
// cannot be reached.
type Store interface {
	// Apply writes the metadata and spec of resources, all or none. A resource
	// equal to what is stored is left alone (outcome unchanged, no history).
	// Status is not touched. With DryRun nothing is written.
	Apply(ctx context.Context, actor string, resources []fleet.Resource, options ApplyOptions) ([]Outcome, error)
	// UpdateStatus changes one resource's status: update gets the present one
	// (nil when there is none) and returns the new. It may run more than once.
	UpdateStatus(ctx context.Context, actor string, ref fleet.Ref, update func(current json.RawMessage) (any, error)) error
	// ReplaceOwned makes the resources of a kind with an owner exactly those
	// given (spec and status): others of that owner are deleted.
	ReplaceOwned(ctx context.Context, actor string, kind fleet.Kind, owner string, resources []fleet.Resource) error
	// Delete removes a resource; its history stays. Unless is as in
	// ApplyOptions.
	Delete(ctx context.Context, actor string, ref fleet.Ref, unless *Moved) error

	Get(ctx context.Context, ref fleet.Ref, at AsOf) (fleet.Resource, error)
	List(ctx context.Context, kind fleet.Kind, query Query) ([]fleet.Resource, error)
	// History of one resource, oldest first.
	History(ctx context.Context, ref fleet.Ref) ([]fleet.Change, error)
	// Watch sends changes of the kinds (all when empty) after a revision (the
	// present one when negative), in order, also those other processes make,
	// until the context ends; then the channel is closed.
	Watch(ctx context.Context, kinds []fleet.Kind, after int64) (<-chan fleet.Change, error)
	// Changes returns changes in order, with the documents as they are stored.
	Changes(ctx context.Context, query ChangeQuery) ([]RawChange, error)
	// Revision is the newest revision.
	Revision(ctx context.Context) (int64, error)
	// Head is what the inventory says of itself as a whole.
	Head(ctx context.Context) (Head, error)
	// Logs are the evidence logs that were noted, by name.
	Logs(ctx context.Context) ([]NotedLog, error)
	// NoteLog keeps a checkpoint of an evidence log, instead of the one before.
	NoteLog(ctx context.Context, log NotedLog) error

	// PutBundle stores a baseline's content and its Baseline resource in one
	// step. The same name@version with another digest is ErrConflict; with the
	// same digest it is a no-op.
	PutBundle(ctx context.Context, actor string, bundle Bundle, options ApplyOptions) (Outcome, error)
	// Bundle returns the content of name@version.
	Bundle(ctx context.Context, nameVersion string) (Bundle, error)

	// ApplyAll is Apply and PutBundle for many in one transaction: all or none.
	ApplyAll(ctx context.Context, actor string, resources []fleet.Resource, bundles []Bundle, options ApplyOptions) ([]Outcome, error)

	Ping(ctx context.Context) error
	Close() error
}

// ApplyOptions change how Apply works.
type ApplyOptions struct {
	DryRun bool
	// Unless refuses the write with ErrConflict when something it rests on has
	// changed meanwhile, other writers' transactions included.
	Unless *Moved
}

// Moved is a change of any of some kinds after a revision.
type Moved struct {
	Kinds []fleet.Kind
	Name  string // only of resources of this name; of all when empty
	Since int64
	// Unobserved are kinds whose statuses do not matter: only what is declared.
	Unobserved []fleet.Kind
}

// ChangeQuery selects changes.
type ChangeQuery struct {
	Kinds []fleet.Kind // all when empty
	After int64        // revisions greater than this
	Until time.Time    // recorded by then; the zero value means all there is
	Limit int          // at most so many; 0 means all
}

// RawChange is one entry of history as the database has it.
type RawChange struct {
	Revision int64
	At       time.Time
	Actor    string
	Action   string // created, updated, status, deleted
	Ref      fleet.Ref
	Document []byte // exactly the stored bytes, the resource in JSON; nil when it was deleted
}

// Head is how far an inventory is, and what there is to compare it with.
type Head struct {
	Revision int64     // the newest
	At       time.Time // when it was recorded
	Newest   time.Time // when its change says it was; zero when there is no such change
	Changes  int64     // in all of history
}

// NotedLog is an evidence log and how far it was known to be.
type NotedLog struct{ Name, Checkpoint string }

// Outcome is what Apply did to one resource: created, updated or unchanged.
type Outcome struct {
	Ref    fleet.Ref `json:"ref"`
	Action string    `json:"action"`
}

// AsOf is an instant to read at; the zero value means now.
type AsOf time.Time

// Query narrows a List.
type Query struct {
	MatchLabels map[string]string
	Owner       string
	AsOf        AsOf
}

// Bundle is a stored baseline.
type Bundle struct {
	Resource fleet.Resource // kind Baseline, named NAME@VERSION, with BaselineStatus
	Digest   string         // sha256:HEX
	Content  []byte         // canonical encoding, see package baseline
}
