package failure

import (
	"context"
	"errors"
	"fmt"

	"github.com/meridian-fleet/meridian/internal/cli/terminal"
)

// Report prints an error, a line for each fault.
func Report(screen *terminal.Screen, err error) {
	for _, line := range Lines(err) {
		fmt.Fprintln(screen, screen.Paint(terminal.Bad, "Error:"), line)
	}
}

// Lines returns the text of each fault in an error.
func Lines(err error) []string {
	var exit *Exit
	switch {
	case err == nil:
		return nil
	case errors.As(err, &exit):
		return Lines(exit.Err)
	case errors.Is(err, context.Canceled):
		return []string{"interrupted"}
	}
	var joined interface{ Unwrap() []error }
	if errors.As(err, &joined) {
		var lines []string
		for _, fault := range joined.Unwrap() {
			lines = append(lines, Lines(fault)...)
		}
		return lines
	}
	return []string{terminal.Clean(err.Error())}
}
