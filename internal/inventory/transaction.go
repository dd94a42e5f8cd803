package inventory

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// The actions history records.
const (
	actionCreated   = "created"
	actionUpdated   = "updated"
	actionStatus    = "status"
	actionDeleted   = "deleted"
	actionUnchanged = "unchanged" // an outcome only, never recorded
)

// transaction is one writer's turn. There is one at a time in a database, so
// that revisions are given, and become visible, in order.
type transaction struct {
	*sql.Tx
	actor    string
	first    int64 // newest revision when the turn began
	revision int64 // newest revision, with this transaction's changes
	at       time.Time
}

// errDiscard ends a transaction that is right but not to be kept.
var errDiscard = errors.New("discard")

// transact runs a function as the only writer and commits what it changed,
// unless it fails or changed nothing.
func (d *database) transact(ctx context.Context, actor string, change func(*transaction) error) error {
	if err := checkText("actor", actor); err != nil {
		return err
	}
	tx, err := d.begin(ctx, actor)
	if err != nil {
		return d.wrap(err, "begin a change")
	}
	defer func() { _ = tx.Rollback() }() // a no-op after commit
	if err := change(tx); err != nil {
		return d.outcome(err)
	}
	if tx.revision == tx.first {
		return nil
	}
	if err := tx.commit(ctx); err != nil {
		return d.wrap(err, "save a change")
	}
	d.wake.all()
	return nil
}

// callerError carries an error of the caller's own function through a
// transaction untouched.
type callerError struct{ error }

// outcome is what a caller sees of the error that ended its transaction.
func (d *database) outcome(err error) error {
	var own *callerError
	switch {
	case errors.Is(err, errDiscard):
		return nil
	case errors.As(err, &own):
		return own.error
	}
	return d.wrap(err, "change the inventory")
}

// begin takes the writer's turn. Recorded time never stands still or goes
// back, whatever the clock does, so that an instant names one state.
func (d *database) begin(ctx context.Context, actor string) (*transaction, error) {
	tx, err := d.write.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	var revision, last int64
	if err := tx.QueryRowContext(ctx, d.dialect.lockHead).Scan(&revision, &last); err != nil {
		_ = tx.Rollback()
		return nil, err
	}
	at := max(d.now().UnixMicro(), last+1)
	return &transaction{Tx: tx, actor: actor, first: revision, revision: revision, at: time.UnixMicro(at).UTC()}, nil
}

func (tx *transaction) commit(ctx context.Context) error {
	_, err := tx.ExecContext(ctx, "UPDATE head SET revision = $1, recorded_at = $2 WHERE id = 1", tx.revision, tx.at.UnixMicro())
	if err != nil {
		return err
	}
	return tx.Commit()
}

// find returns a resource and whether it is there.
func (tx *transaction) find(ctx context.Context, ref fleet.Ref) (fleet.Resource, bool, error) {
	var document string
	row := tx.QueryRowContext(ctx, "SELECT document FROM resources WHERE kind = $1 AND name = $2", string(ref.Kind), ref.Name)
	if err := row.Scan(&document); errors.Is(err, sql.ErrNoRows) {
		return fleet.Resource{}, false, nil
	} else if err != nil {
		return fleet.Resource{}, false, err
	}
	resource, err := decodeStored(ref, document)
	return resource, err == nil, err
}

// save stores a resource and the change that made it so.
func (tx *transaction) save(ctx context.Context, action string, resource fleet.Resource) error {
	at := tx.at
	resource.Metadata.Revision, resource.Metadata.UpdatedAt = tx.revision+1, &at
	if action == actionCreated {
		resource.Metadata.CreatedAt = &at
	}
	document, err := encodeResource(resource)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO resources (kind, name, owner, document) VALUES ($1, $2, $3, $4)
		ON CONFLICT (kind, name) DO UPDATE SET owner = excluded.owner, document = excluded.document`,
		string(resource.Kind), resource.Metadata.Name, resource.Metadata.Owner, document)
	if err != nil {
		return err
	}
	return tx.record(ctx, action, resource.Ref(), &document)
}

// remove deletes a resource and records that.
func (tx *transaction) remove(ctx context.Context, ref fleet.Ref) error {
	if _, err := tx.ExecContext(ctx, "DELETE FROM resources WHERE kind = $1 AND name = $2", string(ref.Kind), ref.Name); err != nil {
		return err
	}
	return tx.record(ctx, actionDeleted, ref, nil)
}

func (tx *transaction) record(ctx context.Context, action string, ref fleet.Ref, document *string) error {
	tx.revision++
	_, err := tx.ExecContext(ctx, `INSERT INTO changes (revision, recorded_at, actor, action, kind, name, document)
		VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		tx.revision, tx.at.UnixMicro(), tx.actor, action, string(ref.Kind), ref.Name, document)
	return err
}
