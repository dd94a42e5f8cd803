package manifest

import (
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

var update = flag.Bool("update", false, "write what the tests see into testdata")

// TestFaults checks every message about bad documents, word for word: each
// archive has a file and the faults it is refused with.
func TestFaults(t *testing.T) {
	t.Parallel()
	archives, err := filepath.Glob("testdata/faults/*.txtar")
	if err != nil || len(archives) == 0 {
		t.Fatalf("no test data: %v", err)
	}
	for _, path := range archives {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			t.Parallel()
			archive, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			documents, err := Parse(archive.Files[0].Name, archive.Files[0].Data)
			if err == nil || documents != nil {
				t.Fatalf("accepted: %v", documents)
			}
			requireFaults(t, err)
			got := err.Error() + "\n"
			if *update {
				archive.Files[1].Data = []byte(got)
				if err := os.WriteFile(path, txtar.Format(archive), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if want := string(archive.Files[1].Data); got != want {
				t.Errorf("got:\n%s\nwant:\n%s", got, want)
			}
		})
	}
}

// requireFaults checks that an error is made of faults with a kind and a
// place.
func requireFaults(t testing.TB, err error) {
	t.Helper()
	joined, ok := err.(interface{ Unwrap() []error }) //nolint:errorlint // the joined error itself
	if !ok {
		t.Fatalf("not joined: %v", err)
	}
	for _, one := range joined.Unwrap() {
		if more, ok := one.(interface{ Unwrap() []error }); ok { //nolint:errorlint // as above
			requireFaults(t, errors.Join(more.Unwrap()...))
			continue
		}
		var fault *fleet.Error
		if !errors.As(one, &fault) || !errors.Is(one, fleet.ErrInvalid) || fault.Position.File == "" {
			t.Errorf("a fault without kind or place: %v", one)
		}
	}
}

func TestParseGood(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile("testdata/good/fleet.yaml")
	if err != nil {
		t.Fatal(err)
	}
	documents, err := Parse("fleet.yaml", content)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, document := range documents {
		got = append(got, document.Resource.Ref().String()+" "+document.Position.String())
	}
	want := "ClusterProfile gpu fleet.yaml:2:1, Region aws/eu-central-1 fleet.yaml:21:1, Cluster inference-1 fleet.yaml:32:1, RolloutStrategy careful fleet.yaml:37:1"
	if joined := strings.Join(got, ", "); joined != want {
		t.Errorf("got %s\nwant %s", joined, want)
	}
	strategy, err := fleet.SpecOf[fleet.RolloutStrategySpec](documents[3].Resource)
	if err != nil {
		t.Fatal(err)
	}
	encoded, _ := json.Marshal(strategy)
	const wantStrategy = `{"waves":[{"name":"canary","limit":2,"soak":"5m0s","pause":true},` +
		`{"name":"eu","clusters":{"matchLabels":{"residency":"eu"}},"limit":"50%","failureBudget":1}],` +
		`"failureBudget":"10%","maxParallel":6,"readyTimeout":"1m30s"}`
	if !jsonEqual(t, encoded, []byte(wantStrategy)) {
		t.Errorf("strategy is %s", encoded)
	}
}

func jsonEqual(t *testing.T, a, b []byte) bool {
	t.Helper()
	var left, right any
	if err := errors.Join(json.Unmarshal(a, &left), json.Unmarshal(b, &right)); err != nil {
		t.Fatal(err)
	}
	l, _ := json.Marshal(left)
	r, _ := json.Marshal(right)
	return string(l) == string(r)
}

func TestParseSize(t *testing.T) {
	t.Parallel()
	_, err := Parse("big.yaml", make([]byte, 50<<20))
	const want = "big.yaml: the file has 52428800 bytes, more than the 4194304 allowed"
	if err == nil || err.Error() != want || !errors.Is(err, fleet.ErrInvalid) {
		t.Errorf("got %v", err)
	}
	deep := strings.Repeat("[", 2000) + strings.Repeat("]", 2000)
	if _, err := Parse("deep.json", []byte(deep)); !errors.Is(err, fleet.ErrInvalid) {
		t.Errorf("deep nesting: %v", err)
	}
	for _, empty := range []string{"", "\n", "# nothing\n", "---\n---\n"} {
		if documents, err := Parse("empty.yaml", []byte(empty)); err != nil || len(documents) != 0 {
			t.Errorf("%q: %v, %v", empty, documents, err)
		}
	}
}

// TestSurrogates reads a character JSON escapes as two halves, and leaves text
// alone that only looks like it.
func TestSurrogates(t *testing.T) {
	t.Parallel()
	content := `{"apiVersion": "meridian.dev/v1alpha1", "kind": "Cluster", "metadata": {"name": "a",
		"annotations": {"a": "\ud83d\ude00", "b": "\\ud83d\\ude00"}}, "spec": {"region": "aws/x", "profile": "p"}}`
	documents, err := Parse("a.json", []byte(content))
	if err != nil {
		t.Fatal(err)
	}
	got := documents[0].Resource.Metadata.Annotations
	if got["a"] != "😀" || got["b"] != `\ud83d\ude00` {
		t.Errorf("got %q", got)
	}
}
