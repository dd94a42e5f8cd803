package manifest_test

import (
	"errors"
	"testing"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/manifest"
)

func TestDocumentsInsideADocumentKeepTheirPositions(t *testing.T) {
	t.Parallel()
	type outer struct {
		Kind   string          `json:"kind"`
		Inside []manifest.Part `json:"inside"`
	}
	content := []byte("kind: Outer\ninside:\n- apiVersion: meridian.dev/v1alpha1\n  kind: Cluster\n  metadata: {name: a}\n  spec: {region: aws/x, profil: p}\n- {}\n")
	parts, err := manifest.Split("input.yaml", content)
	if err != nil || len(parts) != 1 || parts[0].Kind() != "Outer" {
		t.Fatalf("got %v, %v; want one part of kind Outer", parts, err)
	}
	value, _, err := manifest.DecodePart[outer](parts[0])
	if err != nil || len(value.Inside) != 2 {
		t.Fatalf("got %v, %v; want two documents inside", value, err)
	}
	_, err = value.Inside[0].Document()
	var fault *fleet.Error
	if !errors.As(err, &fault) || fault.Position.File != "input.yaml" || fault.Position.Line != 6 {
		t.Fatalf("got %v; want a fault on line 6 of the file", err)
	}
	if _, err = value.Inside[1].Document(); !errors.Is(err, fleet.ErrInvalid) {
		t.Errorf("got %v; want an empty document to be invalid", err)
	}
	if _, err = (manifest.Part{}).Document(); !errors.Is(err, fleet.ErrInvalid) {
		t.Errorf("got %v; want no document to be invalid", err)
	}
}
