package workflowstest

import (
	"path/filepath"
	"testing"

	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

// Replay replays the recorded histories of a workflow type in the package's
// testdata/replay, NAME-*.json, and fails when there are fewer than wanted.
func Replay(t *testing.T, name string, definition any, wanted int) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", "replay", name+"-*.json"))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < wanted {
		t.Fatalf("%d recorded histories of %s, want at least %d: record them with go test ./workflows/worker -run TestScenarios -update", len(files), name, wanted)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			replayer := worker.NewWorkflowReplayer()
			replayer.RegisterWorkflowWithOptions(definition, workflow.RegisterOptions{Name: name})
			if err := replayer.ReplayWorkflowHistoryFromJSONFile(nil, file); err != nil {
				t.Error(err)
			}
		})
	}
}
