package pack

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"

	formats "github.com/transparency-dev/formats/log"
	cosignature "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// The algorithm bytes of verifier keys.
const (
	algorithmSignature   = 1 // Ed25519
	algorithmCosignature = 4 // Ed25519 over cosignature/v1
)

// Keys verify a log's checkpoints.
type Keys struct {
	Log     note.Verifier
	Witness note.Verifier
}

// NewKeys reads verifier keys. It takes each key in one spelling only, so
// that none can be changed unnoticed.
func NewKeys(log, witness string) (Keys, error) {
	if err := checkKey(log, algorithmSignature); err != nil {
		return Keys{}, err.On("log key")
	}
	if err := checkKey(witness, algorithmCosignature); err != nil {
		return Keys{}, err.On("witness key")
	}
	var keys Keys
	var err error
	if keys.Log, err = note.NewVerifier(log); err != nil {
		return keys, fleet.Errorf(fleet.ErrInvalid, "not a verifier key: %w", err).On("log key")
	}
	if keys.Witness, err = cosignature.NewVerifierForCosignatureV1(witness); err != nil {
		return keys, fleet.Errorf(fleet.ErrInvalid, "not a verifier key: %w", err).On("witness key")
	}
	return keys, nil
}

// checkKey compares a verifier key with how it would be written.
func checkKey(key string, algorithm byte) *fleet.Error {
	name, rest, _ := strings.Cut(key, "+")
	_, encoded, _ := strings.Cut(rest, "+")
	public, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || len(public) != 1+ed25519.PublicKeySize || public[0] != algorithm {
		return fleet.Errorf(fleet.ErrInvalid, "%q is not an Ed25519 verifier key of this kind", key)
	}
	sum := sha256.Sum256(append([]byte(name+"\n"), public...))
	if want := fmt.Sprintf("%s+%x+%s", name, sum[:4], base64.StdEncoding.EncodeToString(public)); key != want {
		return fleet.Errorf(fleet.ErrInvalid, "%q does not fit its own check sum", key)
	}
	return nil
}

// Fingerprint is the SHA-256 of the public key in a verifier key, in groups
// that people can compare; empty when there is none.
func Fingerprint(key string) string {
	parts := strings.SplitN(key, "+", 3)
	if len(parts) != 3 {
		return ""
	}
	public, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil || len(public) < 2 {
		return ""
	}
	sum := sha256.Sum256(public[1:])
	var groups []string
	for i := 0; i < len(sum); i += 4 {
		groups = append(groups, hex.EncodeToString(sum[i:i+4]))
	}
	return strings.Join(groups, " ")
}

// Open verifies a checkpoint: the log's signature, the witness's cosignature,
// nothing besides, each in its one spelling.
func (k Keys) Open(checkpoint string) (formats.Checkpoint, error) {
	parsed, rest, opened, err := formats.ParseCheckpoint([]byte(checkpoint), k.Log.Name(), k.Log, k.Witness)
	if err != nil {
		return formats.Checkpoint{}, fleet.Errorf(fleet.ErrInvalid, "not signed by the log: %w", err)
	}
	signed := map[string]bool{}
	for _, signature := range opened.Sigs {
		raw, err := base64.StdEncoding.DecodeString(signature.Base64)
		if err != nil || base64.StdEncoding.EncodeToString(raw) != signature.Base64 {
			return formats.Checkpoint{}, fleet.Errorf(fleet.ErrInvalid, "the signature of %s was changed", signature.Name)
		}
		signed[signature.Name] = true
	}
	if !signed[k.Witness.Name()] {
		return formats.Checkpoint{}, fleet.Errorf(fleet.ErrInvalid, "not cosigned by the witness %s", k.Witness.Name())
	}
	if len(opened.Sigs) != 2 || len(opened.UnverifiedSigs) > 0 || len(rest) > 0 {
		return formats.Checkpoint{}, fleet.Errorf(fleet.ErrInvalid, "more signatures or lines than those of the log and the witness")
	}
	if canonical := string(parsed.Marshal()); !strings.HasPrefix(checkpoint, canonical) {
		return formats.Checkpoint{}, fleet.Errorf(fleet.ErrInvalid, "not in the form checkpoints have")
	}
	return *parsed, nil
}
