package progress

import (
	"fmt"
	"slices"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"github.com/meridian-fleet/meridian/internal/cli/terminal"
)

// live rewrites a block of lines in place.
type live struct {
	screen *terminal.Screen
	lines  []Line
	note   string
	drawn  []row // what stands on the screen now, to go back over it
	width  int   // the screen had when it was drawn
}

func (l *live) Show(lines []Line) {
	l.lines = lines
	width, height := l.screen.Size()
	l.draw(frame(l.lines, l.note, width, height), width)
}

func (l *live) Note(text string) {
	l.note = text
	l.Show(l.lines)
}

// Close prints all lines, also those the screen had no room for: nothing has
// to be rewritten any more.
func (l *live) Close() {
	width, _ := l.screen.Size()
	l.draw(frame(l.lines, "", width, len(l.lines)+1), width)
	l.drawn = nil
}

// draw goes back to the first of the drawn lines and writes the new ones. One
// write, so that no half picture shows.
func (l *live) draw(rows []row, width int) {
	if width == l.width && slices.Equal(rows, l.drawn) {
		return
	}
	var b strings.Builder
	if up := occupied(l.drawn, width); up > 0 {
		fmt.Fprintf(&b, "\x1b[%dA", up)
	}
	b.WriteString("\r\x1b[J")
	l.drawn, l.width = rows, width
	for _, row := range rows {
		b.WriteString(l.screen.Paint(row.style, row.text))
		b.WriteString("\n")
	}
	fmt.Fprint(l.screen, b.String())
}

// occupied is how many rows lines take now: a screen made narrower since they
// were drawn has wrapped them.
func occupied(drawn []row, width int) int {
	rows := 0
	for _, line := range drawn {
		rows += max(1, (ansi.StringWidth(line.text)+width-1)/width)
	}
	return rows
}

// row is a line fit for the screen.
type row struct {
	text  string
	style terminal.Style
}

// frame fits lines to a screen: cut to its width, less one column so that no
// terminal wraps, and to its height, less the cursor's row. When there are
// too many, lines that are done go first, from the top; what is left out is
// counted.
func frame(lines []Line, note string, width, height int) []row {
	room := max(1, height-1)
	if note != "" {
		room = max(1, room-1)
	}
	lines, hidden := choose(lines, room)
	var rows []row
	keyWidth, stateWidth := columns(lines)
	for _, line := range lines {
		key := strings.Repeat("  ", line.Indent) + terminal.Clean(line.Key)
		text := fmt.Sprintf("%s  %-*s  %s", pad(key, keyWidth), stateWidth, line.State, terminal.Clean(line.news()))
		rows = append(rows, row{cut(text, width), line.Style})
	}
	if hidden.count > 0 {
		rows = append(rows, row{cut(hidden.String(), width), terminal.Faint})
	}
	if note != "" && height > 2 {
		rows = append(rows, row{cut(terminal.Clean(note), width), terminal.Notice})
	}
	return rows
}

func cut(text string, width int) string {
	return strings.TrimRight(ansi.Truncate(text, max(1, width-1), "…"), " ")
}

func pad(text string, width int) string {
	return text + strings.Repeat(" ", max(0, width-ansi.StringWidth(text)))
}

func columns(lines []Line) (key, state int) {
	for _, line := range lines {
		key = max(key, 2*line.Indent+ansi.StringWidth(line.Key))
		state = max(state, len(line.State))
	}
	return key, state
}

// rest is what a frame leaves out.
type rest struct{ count, done int }

func (r rest) String() string {
	if r.done == r.count {
		return fmt.Sprintf("… and %d more, done", r.count)
	}
	return fmt.Sprintf("… and %d more, %d done", r.count, r.done)
}

// choose keeps as many lines as there is room for; one row goes to the count
// of those left out.
func choose(lines []Line, room int) ([]Line, rest) {
	if len(lines) <= room {
		return lines, rest{}
	}
	surplus := len(lines) - max(0, room-1)
	left := rest{count: surplus}
	dropped := make([]bool, len(lines))
	for i := range lines {
		if surplus > 0 && lines[i].Done {
			dropped[i] = true
			surplus--
			left.done++
		}
	}
	for i := len(lines) - 1; i >= 0 && surplus > 0; i-- {
		if !dropped[i] {
			dropped[i] = true
			surplus--
		}
	}
	var kept []Line
	for i, line := range lines {
		if !dropped[i] {
			kept = append(kept, line)
		}
	}
	return kept, left
}
