package inventory

import (
	"context"
	"database/sql"
	"embed"
	"io/fs"

	"github.com/pressly/goose/v3"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

//go:embed migrations
var migrations embed.FS

// migrate brings a database's schema up to what this program knows. It refuses
// a newer one rather than guess what it means.
func migrate(ctx context.Context, db *sql.DB, dialect goose.Dialect, folder string, options ...goose.ProviderOption) error {
	files, err := fs.Sub(migrations, "migrations/"+folder)
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(dialect, db, files, append(options,
		goose.WithDisableGlobalRegistry(true), goose.WithTableName("inventory_schema"))...)
	if err != nil {
		return err
	}
	if _, err := provider.Up(ctx); err != nil {
		return err
	}
	current, known, err := provider.GetVersions(ctx)
	if err == nil && current > known {
		return fleet.Errorf(fleet.ErrConflict, "the inventory's schema is version %d, this program knows %d", current, known).
			Advise("use the newer program that made it")
	}
	return err
}
