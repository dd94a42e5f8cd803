package terminal

import (
	"io"
	"os"

	"golang.org/x/term"
)

// Streams are a command's input and outputs.
type Streams struct {
	In  io.Reader
	Out *Screen
	Err *Screen

	// CanAsk reports whether a person can be asked: input and error stream
	// are terminals.
	CanAsk bool
}

// Screen is an output that may be a terminal.
type Screen struct {
	io.Writer
	color bool
	size  func() (width, height int, ok bool)
}

// NewScreen returns a screen that writes to w. A nil size means that w is not
// a terminal.
func NewScreen(w io.Writer, size func() (width, height int, ok bool), color bool) *Screen {
	return &Screen{Writer: w, size: size, color: color}
}

// System returns the process's own streams.
func System() *Streams {
	return &Streams{
		In:     os.Stdin,
		Out:    fileScreen(os.Stdout),
		Err:    fileScreen(os.Stderr),
		CanAsk: term.IsTerminal(int(os.Stdin.Fd())) && term.IsTerminal(int(os.Stderr.Fd())),
	}
}

func fileScreen(file *os.File) *Screen {
	if !term.IsTerminal(int(file.Fd())) || os.Getenv("TERM") == "dumb" {
		return NewScreen(file, nil, false)
	}
	size := func() (int, int, bool) {
		width, height, err := term.GetSize(int(file.Fd()))
		return width, height, err == nil
	}
	return NewScreen(file, size, os.Getenv("NO_COLOR") == "")
}

// Live reports whether lines can be rewritten in place.
func (s *Screen) Live() bool { return s.size != nil }

// Size returns the columns and rows of the screen; a terminal that does not
// know gets the traditional 80 by 24.
func (s *Screen) Size() (width, height int) {
	if s.size != nil {
		if width, height, ok := s.size(); ok && width > 0 && height > 0 {
			return width, height
		}
	}
	return 80, 24
}

// NoColor turns colours off.
func (s *Screen) NoColor() { s.color = false }
