package manifest

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"golang.org/x/tools/txtar"
)

// FuzzParse: no input makes Parse panic, what it refuses it refuses with faults
// that have a place, and what it accepts reads the same when written again.
func FuzzParse(f *testing.F) {
	examples, _ := filepath.Glob("testdata/good/*.yaml")
	for _, path := range examples {
		good, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(good)
	}
	archives, _ := filepath.Glob("testdata/faults/*.txtar")
	for _, path := range archives {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(archive.Files[0].Data)
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		documents, err := Parse("fuzz.yaml", content)
		if err != nil {
			requireFaults(t, err)
			return
		}
		for _, document := range documents {
			written, err := json.Marshal(document.Resource)
			if err != nil {
				t.Fatal(err)
			}
			again, err := Parse("again.json", written)
			if err != nil || len(again) != 1 {
				t.Fatalf("%s reads as %v, %v", written, again, err)
			}
			if !reflect.DeepEqual(again[0].Resource, document.Resource) {
				t.Fatalf("%s changes to %v", written, again[0].Resource)
			}
		}
	})
}
