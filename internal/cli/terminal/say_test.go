package terminal_test

import (
	"strings"
	"testing"

	"github.com/meridian-fleet/meridian/internal/cli/terminal"
)

func TestSay(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		width              int // 0: no terminal
		prefix, text, want string
	}{
		{0, "  - ", "a long line stays one line, whatever its length may be", "  - a long line stays one line, whatever its length may be\n"},
		{30, "  - ", "São Paulo is in Brazil, which is not in the EEA", "  - São Paulo is in Brazil,\n    which is not in the EEA\n"},
		{30, "", "short", "short\n"},
		{30, "    ", "averyveryverylongwordthatdoesnotfit at all", "    averyveryverylongwordthatdoesnotfit\n    at all\n"},
		{10, "  - ", "too narrow to fold anything", "  - too narrow to fold anything\n"},
		{40, "1. ", "it moves\n\x1b[2Jnothing", "1. it moves [2Jnothing\n"},
		{40, "- ", "", "- \n"},
	} {
		var out strings.Builder
		var size func() (int, int, bool)
		if test.width > 0 {
			size = func() (int, int, bool) { return test.width, 24, true }
		}
		terminal.NewScreen(&out, size, false).Say(test.prefix, test.text)
		if out.String() != test.want {
			t.Errorf("%d columns: got %q, want %q", test.width, out.String(), test.want)
		}
	}
}
