package inventory_test

import (
	"context"
	"flag"
	"path/filepath"
	"testing"

	"github.com/meridian-fleet/meridian/internal/inventory"
	"github.com/meridian-fleet/meridian/internal/inventory/inventorytest"
	"github.com/meridian-fleet/meridian/internal/inventory/postgrestest"
)

func TestMain(m *testing.M) {
	// Fewer walks than rapid's default unless asked for: each step is a write.
	if err := flag.Set("rapid.checks", "40"); err != nil {
		panic(err)
	}
	postgrestest.Main(m)
}

func TestSQLite(t *testing.T) {
	t.Parallel()
	inventorytest.Run(t, func(t *testing.T) inventory.Store { return openSQLite(t, filepath.Join(t.TempDir(), "inventory.db")) })
}

func TestPostgres(t *testing.T) {
	t.Parallel()
	inventorytest.Run(t, func(t *testing.T) inventory.Store { return openPostgres(t, postgrestest.Database(t)) })
}

func TestSQLiteShared(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "inventory.db")
	inventorytest.RunShared(t, func(t *testing.T) inventory.Store { return openSQLite(t, path) })
}

func TestPostgresShared(t *testing.T) {
	t.Parallel()
	address := postgrestest.Database(t)
	inventorytest.RunShared(t, func(t *testing.T) inventory.Store { return openPostgres(t, address) })
}

func openSQLite(t *testing.T, path string) inventory.Store {
	t.Helper()
	store, err := inventory.OpenSQLite(context.Background(), path)
	return opened(t, store, err)
}

func openPostgres(t *testing.T, address string) inventory.Store {
	t.Helper()
	store, err := inventory.OpenPostgres(context.Background(), address)
	return opened(t, store, err)
}

func opened(t *testing.T, store inventory.Store, err error) inventory.Store {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return store
}
