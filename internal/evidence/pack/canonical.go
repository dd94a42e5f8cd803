package pack

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// Encode writes JSON in the one form that packs and log entries have: no
// spaces, no escapes for HTML, members in the order of the Go type.
func Encode(value any) ([]byte, error) {
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return nil, fleet.Errorf(fleet.ErrInternal, "encode evidence: %w", err)
	}
	return bytes.TrimSuffix(buffer.Bytes(), []byte("\n")), nil
}

// SHA256 is the digest of some bytes as packs and entries write it: 64
// hexadecimal digits.
func SHA256(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

// FirstDifference says where two texts part: "byte 17 (line 2)", both counted
// from 1. It is empty for equal texts.
func FirstDifference(got, want []byte) string {
	if at := difference(got, want); at >= 0 {
		return Position(got, at)
	}
	return ""
}

// difference is the offset at which two texts part; -1 for equal ones.
func difference(got, want []byte) int {
	if bytes.Equal(got, want) {
		return -1
	}
	at := 0
	for at < len(got) && at < len(want) && got[at] == want[at] {
		at++
	}
	return at
}

// Position names an offset in a text, counted from 0, for people.
func Position(content []byte, offset int) string {
	offset = max(0, min(offset, len(content)))
	return fmt.Sprintf("byte %d (line %d)", offset+1, 1+bytes.Count(content[:offset], []byte("\n")))
}
