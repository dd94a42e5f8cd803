package inventory

import (
	"context"
	"database/sql"
	"errors"
	"net/url"
	"os"
	"path/filepath"

	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// sqliteReaders is how many reads may run at once beside the writer.
const sqliteReaders = 4

// A transaction is immediate, so the head needs no lock of its own.
var sqliteDialect = dialect{
	lockHead: "SELECT revision, recorded_at FROM head WHERE id = 1",
	kindOf:   sqliteKind,
}

// OpenSQLite opens the inventory in a file and creates it, readable by its
// owner only, when it is not there.
func OpenSQLite(ctx context.Context, path string) (Store, error) {
	object := "inventory " + path
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fleet.Errorf(fleet.ErrInvalid, "%w", err).On(object)
	}
	if err := privateFile(path); err != nil {
		return nil, fleet.Errorf(fleet.ErrUnavailable, "open: %w", err).On(object)
	}
	// One writer: a second would only wait for the first inside SQLite, and
	// with less patience.
	write, err := openSQLite(path, 1, "_txlock=immediate", "_pragma=journal_mode(WAL)", "_pragma=synchronous(FULL)")
	if err != nil {
		return nil, fleet.Errorf(fleet.ErrInternal, "open: %w", err).On(object)
	}
	d := newDatabase(sqliteDialect, write, write)
	if err := migrate(ctx, write, goose.DialectSQLite3, "sqlite"); err != nil {
		return nil, errors.Join(d.wrap(err, "open "+object), d.Close())
	}
	read, err := openSQLite(path, sqliteReaders, "_pragma=query_only(1)")
	if err != nil {
		return nil, errors.Join(d.wrap(err, "open "+object), d.Close())
	}
	d.read = read
	return d, nil
}

// privateFile creates a file with mode 0600, or gives it that mode. SQLite
// gives its side files the mode of the file they belong to.
func privateFile(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600) //nolint:gosec // the path is the administrator's choice
	if err != nil {
		return err
	}
	return errors.Join(file.Chmod(0o600), file.Close())
}

// openSQLite waits long for another process's lock: SQLite's locks are not
// fair, and on a slow disk a busy neighbour may win many times in a row.
func openSQLite(path string, connections int, parameters ...string) (*sql.DB, error) {
	name := (&url.URL{Scheme: "file", Path: path}).String() + "?_pragma=busy_timeout(60000)"
	for _, parameter := range parameters {
		name += "&" + parameter
	}
	db, err := sql.Open("sqlite", name)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	return db, nil
}

// sqliteKind says what an error of SQLite means. The primary code is in the
// lowest byte.
func sqliteKind(err error) *fleet.ErrorKind {
	var failure *sqlite.Error
	if !errors.As(err, &failure) {
		return fleet.ErrInternal
	}
	switch failure.Code() & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL,
		sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_READONLY:
		return fleet.ErrUnavailable
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return fleet.ErrNeedsHuman
	}
	return fleet.ErrInternal
}
