package terminal

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// narrowest is the fewest columns that text is folded into; on a screen
// narrower than that the terminal may break lines where it likes.
const narrowest = 20

// Say writes a line of prose after a prefix. On a terminal it is folded
// between words, and what follows stands below where the text began; elsewhere
// it stays one line, for programs that read lines.
func (s *Screen) Say(prefix, text string) {
	text = Clean(text)
	indentation := utf8.RuneCountInString(prefix)
	lines := []string{text}
	if width, _ := s.Size(); s.Live() && width-indentation >= narrowest {
		lines = fold(text, width-indentation)
	}
	for i, line := range lines {
		if i > 0 {
			prefix = strings.Repeat(" ", indentation)
		}
		fmt.Fprintln(s, prefix+line)
	}
}

// fold breaks text between words into lines of at most so many characters; a
// longer word has a line of its own.
func fold(text string, width int) []string {
	var lines []string
	line, length := "", 0
	for _, word := range strings.Fields(text) {
		long := utf8.RuneCountInString(word)
		if line != "" && length+1+long > width {
			lines, line, length = append(lines, line), "", 0
		}
		if line != "" {
			line, length = line+" ", length+1
		}
		line, length = line+word, length+long
	}
	return append(lines, line)
}
