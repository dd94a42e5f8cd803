package output_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/structpb"

	"github.com/meridian-fleet/meridian/internal/cli/output"
)

func TestShort(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		-time.Second: "0s", 0: "0s", 119 * time.Second: "119s", 2 * time.Minute: "2m", 150 * time.Second: "2m30s",
		10 * time.Minute: "10m", 179 * time.Minute: "179m", 200 * time.Minute: "3h20m", 9 * time.Hour: "9h",
		50 * time.Hour: "2d2h", 7 * 24 * time.Hour: "7d", 400 * 24 * time.Hour: "400d",
	} {
		if got := output.Short(d); got != want {
			t.Errorf("%s is %q, want %q", d, got, want)
		}
	}
}

func TestGridAlignsAndCleans(t *testing.T) {
	t.Parallel()
	grid := output.NewGrid("NAME", "MESSAGE", "AGE")
	grid.Row("é", "two\nlines \x1b[31mred", "1s")
	grid.Row("longer-name", "", "12s")
	var out strings.Builder
	if err := grid.Write(&out, "  "); err != nil {
		t.Fatal(err)
	}
	const want = "  NAME          MESSAGE             AGE\n  é             two lines [31mred   1s\n  longer-name   -                   12s\n"
	if out.String() != want {
		t.Errorf("got:\n%s", &out)
	}
}

func document(t *testing.T, fields map[string]any) *structpb.Struct {
	t.Helper()
	result, err := structpb.NewStruct(fields)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func TestChanged(t *testing.T) {
	t.Parallel()
	before := document(t, map[string]any{
		"metadata": map[string]any{"revision": 1, "updatedAt": "a", "name": "x"},
		"spec":     map[string]any{"replicas": 3, "pools": []any{map[string]any{"name": "a"}, "b"}, "gone": true},
	})
	after := document(t, map[string]any{
		"metadata": map[string]any{"revision": 2, "updatedAt": "b", "name": "x"},
		"spec":     map[string]any{"replicas": 12345678901, "pools": []any{map[string]any{"name": "c"}, "b"}, "new": []any{1, 2}},
	})
	want := []output.FieldChange{
		{"spec.gone", "true", ""}, {"spec.new", "", "[1,2]"}, {"spec.pools[0].name", "a", "c"}, {"spec.replicas", "3", "12345678901"},
	}
	got := output.Changed(before, after)
	if len(got) != len(want) {
		t.Fatalf("got %v", got)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("got %v, want %v", got[i], want[i])
		}
	}
	if len(output.Changed(before, before)) != 0 {
		t.Error("a document differs from itself")
	}
}

func TestTextTitles(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	output.Text(&out, "", map[string]any{
		"kubernetesVersion": "1.36.3", "readyNodes": 3.0, "gpuProducts": []any{"A", "B"}, "labels": map[string]any{"team": "a"},
		"waves": []any{map[string]any{"name": "one", "clusters": []any{}}},
	})
	const want = `GPU products:        A, B
Kubernetes version:  1.36.3
Ready nodes:         3
Labels:
  team:  a
Waves:
- Clusters:  -
  Name:      one
`
	if out.String() != want {
		t.Errorf("got:\n%s", &out)
	}
}

func TestFormatsAreChecked(t *testing.T) {
	t.Parallel()
	var format output.Format
	for _, name := range output.Formats {
		if err := format.Set(name); err != nil || format.String() != name {
			t.Errorf("%s: %v", name, err)
		}
	}
	if format.Set("xml") == nil {
		t.Error("xml was taken")
	}
}

func TestObject(t *testing.T) {
	t.Parallel()
	for value, want := range map[any]string{
		struct{}{}: `{"apiVersion":"meridian.dev/v1alpha1","kind":"Thing"}`,
		struct {
			B int `json:"b"`
			A int `json:"a"`
		}{1, 2}: `{"apiVersion":"meridian.dev/v1alpha1","kind":"Thing","b":1,"a":2}`,
	} {
		got, err := json.Marshal(output.Object("Thing", value))
		if err != nil || string(got) != want {
			t.Errorf("%#v is %s (%v), want %s", value, got, err, want)
		}
	}
	if got, err := json.Marshal(output.Object("Thing", []int{1})); err == nil {
		t.Errorf("a list is %s", got)
	}
}
