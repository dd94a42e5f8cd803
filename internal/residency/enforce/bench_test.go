package enforce_test

import (
	"testing"

	"github.com/meridian-fleet/meridian/internal/residency/enforce"
)

// BenchmarkGuardrails compiles the shipped packs and writes what the clusters
// of one region, then of another, are told.
func BenchmarkGuardrails(b *testing.B) {
	in := input(b, "../../../deploy/residency")
	b.Run("compile", func(b *testing.B) {
		for b.Loop() {
			compiler, err := enforce.New(in)
			if err != nil {
				b.Fatal(err)
			}
			if _, err := compiler.Guardrails("aws/eu-central-1"); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("region", func(b *testing.B) {
		compiler, err := enforce.New(in)
		if err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			if _, err := compiler.Guardrails("azure/japaneast"); err != nil {
				b.Fatal(err)
			}
		}
	})
}
