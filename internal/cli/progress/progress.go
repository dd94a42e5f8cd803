package progress

import (
	"fmt"
	"strings"

	"github.com/meridian-fleet/meridian/internal/cli/terminal"
)

// Line is one thing that progresses: a wave, a cluster, a region.
type Line struct {
	Key    string // identity, "cluster aws-eu-central-1"
	Indent int
	State  string // Running, Succeeded, …
	Detail string
	Style  terminal.Style
	Done   bool // finished well: the first to go when the screen is full

	// Counter goes before the detail. A change of it alone is worth no line
	// of its own where lines are appended.
	Counter string
}

// Display shows lines.
type Display interface {
	// Show replaces the lines. Order is for the terminal; identity is the key.
	Show(lines []Line)
	// Note says something by the way: that the daemon is away, for one.
	Note(text string)
	// Close leaves the final state on the screen.
	Close()
}

// New returns the display that suits the screen.
func New(screen *terminal.Screen) Display {
	if screen.Live() {
		return &live{screen: screen}
	}
	return &plain{screen: screen, shown: map[string]string{}}
}

// plain appends a line for each change.
type plain struct {
	screen *terminal.Screen
	shown  map[string]string
}

func (p *plain) Show(lines []Line) {
	for _, line := range lines {
		text := terminal.Clean(line.text(""))
		if p.shown[line.Key] == text {
			continue
		}
		p.shown[line.Key] = text
		fmt.Fprintln(p.screen, terminal.Clean(line.text(line.Counter)))
	}
}

func (p *plain) Note(text string) {
	if text != "" {
		fmt.Fprintln(p.screen, terminal.Clean(text))
	}
}

func (p *plain) Close() {}

// text is "KEY: STATE: COUNTER: DETAIL".
func (l Line) text(counter string) string {
	parts := []string{l.Key}
	for _, part := range []string{l.State, counter, l.Detail} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, ": ")
}

// news is what comes after the state.
func (l Line) news() string {
	if l.Counter != "" && l.Detail != "" {
		return l.Counter + ": " + l.Detail
	}
	return l.Counter + l.Detail
}
