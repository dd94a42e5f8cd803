package progress

import (
	"strconv"
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// emulator is a terminal of a fixed size, as far as displays use one: it wraps
// long lines, scrolls, and keeps what scrolled off.
type emulator struct {
	width, height int
	lines         [][]string // all lines, the last height of them on the screen
	row, column   int
	wrapped       int // times a line was too long
}

func newEmulator(width, height int) *emulator {
	return &emulator{width: width, height: height, lines: make([][]string, 1)}
}

// top is the first line on the screen.
func (e *emulator) top() int { return max(0, len(e.lines)-e.height) }

func (e *emulator) Write(content []byte) (int, error) {
	text := string(content)
	for len(text) > 0 {
		switch {
		case strings.HasPrefix(text, "\x1b["):
			end := strings.IndexFunc(text[2:], func(r rune) bool { return r >= '@' }) + 2
			e.control(text[2:end], text[end])
			text = text[end+1:]
		case text[0] == '\r':
			e.column = 0
			text = text[1:]
		case text[0] == '\n':
			e.newline()
			text = text[1:]
		default:
			cluster, width := ansi.FirstGraphemeCluster(text, ansi.GraphemeWidth)
			e.put(cluster, width)
			text = text[len(cluster):]
		}
	}
	return len(content), nil
}

func (e *emulator) control(parameter string, command byte) {
	switch command {
	case 'A':
		up, _ := strconv.Atoi(parameter)
		e.row = max(e.top(), e.row-up)
	case 'J':
		e.lines = e.lines[:e.row+1]
		e.lines[e.row] = e.lines[e.row][:min(e.column, len(e.lines[e.row]))]
	}
}

func (e *emulator) newline() {
	e.row, e.column = e.row+1, 0
	if e.row == len(e.lines) {
		e.lines = append(e.lines, nil)
	}
}

func (e *emulator) put(cluster string, width int) {
	if e.column+width > e.width {
		e.wrapped++
		e.newline()
	}
	line := e.lines[e.row]
	for len(line) < e.column {
		line = append(line, " ")
	}
	line = append(line[:e.column], cluster)
	for range width - 1 {
		line = append(line, "")
	}
	e.lines[e.row] = line
	e.column += width
}

// text is everything, also what scrolled off.
func (e *emulator) text() string {
	var lines []string
	for _, line := range e.lines {
		lines = append(lines, strings.TrimRight(strings.Join(line, ""), " "))
	}
	return strings.TrimRight(strings.Join(lines, "\n"), "\n") + "\n"
}
