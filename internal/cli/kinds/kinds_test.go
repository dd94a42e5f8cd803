package kinds_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/meridian-fleet/meridian/internal/cli/kinds"
	"github.com/meridian-fleet/meridian/internal/fleet"
)

func TestEveryKindHasItsNames(t *testing.T) {
	t.Parallel()
	seen := map[string]fleet.Kind{}
	for _, kind := range fleet.Kinds {
		known := kinds.Of(kind)
		words := append([]string{string(kind), strings.ToUpper(string(kind)), known.Plural}, known.Aliases...)
		for _, word := range words {
			found, err := kinds.Lookup(word)
			if err != nil || found.Kind != kind {
				t.Errorf("%q is %s, %v", word, found.Kind, err)
			}
		}
		for _, word := range append(slices.Clone(known.Aliases), known.Plural) {
			if other, taken := seen[word]; taken {
				t.Errorf("%q is %s and %s", word, other, kind)
			}
			seen[word] = kind
		}
	}
	for _, word := range []string{"", "pods", "region "} {
		if found, err := kinds.Lookup(word); err == nil {
			t.Errorf("%q is %s", word, found.Kind)
		}
	}
}

// A resource just declared has no status yet; every column stands that.
func TestTablesOfBareResources(t *testing.T) {
	t.Parallel()
	for _, kind := range kinds.All {
		for _, wide := range []bool{false, true} {
			bare := fleet.Resource{Kind: kind.Kind, Metadata: fleet.Metadata{Name: "a"}}
			grid, err := kind.Grid([]fleet.Resource{bare}, wide, time.Now())
			if err != nil {
				t.Errorf("%s: %v", kind.Kind, err)
				continue
			}
			var out strings.Builder
			if err := grid.Write(&out, ""); err != nil {
				t.Fatal(err)
			}
			lines := strings.Split(strings.TrimSpace(out.String()), "\n")
			if got, want := len(strings.Fields(lines[1])), len(strings.Fields(lines[0])); got != want {
				t.Errorf("%s: %d cells below %d titles:\n%s", kind.Kind, got, want, &out)
			}
		}
	}
}

func TestABrokenStatusIsAnError(t *testing.T) {
	t.Parallel()
	broken := fleet.Resource{Kind: fleet.KindCluster, Metadata: fleet.Metadata{Name: "a"}, Status: []byte(`{"nodes": "many"}`)}
	if _, err := kinds.Of(fleet.KindCluster).Grid([]fleet.Resource{broken}, false, time.Now()); err == nil {
		t.Error("no error")
	}
}
