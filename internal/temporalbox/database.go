package temporalbox

import (
	"errors"
	"io/fs"
	"os"

	"go.temporal.io/server/common/config"
	sqliteplugin "go.temporal.io/server/common/persistence/sql/sqlplugin/sqlite"
	"go.temporal.io/server/schema/sqlite"
	"google.golang.org/protobuf/types/known/durationpb"
)

// prepareDatabase makes the schema in a new database and the namespace when it
// is not there. A mark beside the file says that the schema is complete: a
// process killed half-way leaves none, and the next one begins anew.
func prepareDatabase(settings *config.Config, box Config) error {
	sql := settings.Persistence.DataStores[sqliteplugin.PluginName].SQL
	if err := prepareSchema(sql); err != nil {
		return err
	}
	namespace, err := sqlite.NewNamespaceConfig(clusterName, box.Namespace, false, nil)
	if err != nil {
		return err
	}
	namespace.Detail.Config.Retention = durationpb.New(box.Retention)
	return sqlite.CreateNamespaces(sql, namespace)
}

func prepareSchema(sql *config.SQL) error {
	mark := sql.DatabaseName + ".schema"
	if _, err := os.Stat(mark); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := removeDatabase(sql.DatabaseName); err != nil {
		return err
	}
	if err := sqlite.SetupSchema(sql); err != nil {
		return err
	}
	return os.WriteFile(mark, []byte("complete\n"), 0o600)
}

func removeDatabase(path string) error {
	var faults []error
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(path + suffix); !errors.Is(err, fs.ErrNotExist) {
			faults = append(faults, err)
		}
	}
	return errors.Join(faults...)
}
