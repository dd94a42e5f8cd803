package terminal

import (
	"strings"
	"unicode"
)

// Style is how a piece of text stands out.
type Style string

// The styles.
const (
	Plain  Style = ""
	Good   Style = "32"
	Bad    Style = "31"
	Notice Style = "33"
	Faint  Style = "2"
)

// Paint styles a text when the screen has colours.
func (s *Screen) Paint(style Style, text string) string {
	if !s.color || style == Plain || text == "" {
		return text
	}
	return "\x1b[" + string(style) + "m" + text + "\x1b[0m"
}

// Clean makes text from elsewhere fit for one line of a terminal: line breaks
// and tabs become spaces, other control characters are dropped, so that no
// message can move the cursor.
func Clean(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t' || r == '\r':
			return ' '
		case unicode.IsControl(r), r == '\u2028', r == '\u2029':
			return -1
		}
		return r
	}, strings.TrimSpace(text))
}
