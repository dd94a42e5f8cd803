package enforce_test

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/meridian-fleet/meridian/internal/residency/enforce"
)

var update = flag.Bool("update", false, "write what is compared with files")

// The example baselines carry the admission policies as files: a baseline is
// what it was when it was made, whatever Meridian compiles later.
func TestExampleBaselinesHaveThePolicies(t *testing.T) {
	t.Parallel()
	policies, err := enforce.AdmissionPolicies([]string{"guardrails-system", "gpu-system", "scheduling-system"})
	if err != nil {
		t.Fatal(err)
	}
	for _, version := range []string{"1.0.0", "1.1.0"} {
		compare(t, filepath.Join("../../../deploy/examples/baselines", "platform-"+version, "residency/policies.yaml"), policies)
	}
}

// compare wants a file to hold what was made.
func compare(t *testing.T, path string, made []byte) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, made, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	kept, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(kept) != string(made) {
		t.Errorf("%s differs from what is compiled; look at the difference after go test ./internal/residency/enforce -update", path)
	}
}
