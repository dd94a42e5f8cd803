package server

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// maxUser is how long a user's name is at most.
const maxUser = 256

// UserName gives a name the one form that is recorded and compared, so that
// two spellings that look alike are one person's: compatibility characters and
// accents composed (NFKC), nothing invisible, no spaces around it.
func UserName(name string) (string, error) {
	composed := norm.NFKC.String(name)
	if composed == "" || len(composed) > maxUser || strings.TrimSpace(composed) != composed || strings.ContainsFunc(composed, unprintable) {
		return "", fleet.Errorf(fleet.ErrInvalid, "no name of a user: want 1 to %d bytes of printable characters, without spaces around them", maxUser)
	}
	return composed, nil
}

func unprintable(character rune) bool {
	return !unicode.IsPrint(character) || character == unicode.ReplacementChar || unicode.Is(unicode.Other_Default_Ignorable_Code_Point, character) || unicode.Is(unicode.Variation_Selector, character)
}
