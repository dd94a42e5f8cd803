package inventory

import (
	"context"
	"database/sql"
	"errors"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// Connections one process holds. Writers wait for the head's lock anyway;
// readers have connections of their own, so that waiting writers never starve
// them.
const (
	postgresWriters = 2
	postgresReaders = 8
)

// OpenPostgres opens the inventory in the PostgreSQL database a URL (or
// key=value string) names. The database must exist; the tables are made.
func OpenPostgres(ctx context.Context, address string) (Store, error) {
	config, err := pgx.ParseConfig(address)
	if err != nil {
		return nil, fleet.Errorf(fleet.ErrInvalid, "the address of the inventory: %w", err)
	}
	setDefault(config.RuntimeParams, "application_name", "meridian")
	// A process that freezes in a transaction must not keep all others from
	// writing.
	setDefault(config.RuntimeParams, "idle_in_transaction_session_timeout", "30s")
	d := newDatabase(postgresDialect(config), openPostgres(config, postgresWriters), openPostgres(config, postgresReaders))
	locker, err := lock.NewPostgresSessionLocker()
	if err == nil {
		err = migrate(ctx, d.write, goose.DialectPostgres, "postgres", goose.WithSessionLocker(locker))
	}
	if err != nil {
		return nil, errors.Join(d.wrap(err, "open the inventory at "+config.Host), d.Close())
	}
	return d, nil
}

func setDefault(parameters map[string]string, key, value string) {
	if _, ok := parameters[key]; !ok {
		parameters[key] = value
	}
}

func openPostgres(config *pgx.ConnConfig, connections int) *sql.DB {
	db := stdlib.OpenDB(*config)
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	db.SetConnMaxIdleTime(5 * time.Minute)
	return db
}

func postgresDialect(config *pgx.ConnConfig) dialect {
	return dialect{
		lockHead: "SELECT revision, recorded_at FROM head WHERE id = 1 FOR UPDATE",
		kindOf:   postgresKind,
		listen:   func(ctx context.Context, changed func()) { listenPostgres(ctx, config, changed) },
	}
}

// listenPostgres calls changed on every notification, on a connection of its
// own that it opens again when it breaks. Watches poll in the meantime.
func listenPostgres(ctx context.Context, config *pgx.ConnConfig, changed func()) {
	for ctx.Err() == nil {
		listenOnce(ctx, config, changed)
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
}

func listenOnce(ctx context.Context, config *pgx.ConnConfig, changed func()) {
	connection, err := pgx.ConnectConfig(ctx, config.Copy())
	if err != nil {
		return
	}
	defer func() { _ = connection.Close(context.WithoutCancel(ctx)) }()
	if _, err := connection.Exec(ctx, "LISTEN meridian_inventory"); err != nil {
		return
	}
	for {
		changed() // also once at first: something may have happened before
		if _, err := connection.WaitForNotification(ctx); err != nil {
			return
		}
	}
}

// postgresKind says what an error of PostgreSQL means, by its class.
func postgresKind(err error) *fleet.ErrorKind {
	var failure *pgconn.PgError
	var refused *pgconn.ConnectError
	var network net.Error
	switch {
	case errors.As(err, &failure):
		return postgresClass(failure.Code)
	case errors.As(err, &refused), errors.As(err, &network), pgconn.SafeToRetry(err), pgconn.Timeout(err):
		return fleet.ErrUnavailable
	}
	return fleet.ErrInternal
}

func postgresClass(code string) *fleet.ErrorKind {
	for _, class := range []string{"08", "25P03", "40", "53", "55", "57", "58"} {
		if strings.HasPrefix(code, class) {
			return fleet.ErrUnavailable
		}
	}
	for _, class := range []string{"28", "3D", "42501", "XX001", "XX002"} { // login, database, rights, damage
		if strings.HasPrefix(code, class) {
			return fleet.ErrNeedsHuman
		}
	}
	return fleet.ErrInternal
}
