package output

import (
	"io"
	"strings"
	"text/tabwriter"

	"github.com/meridian-fleet/meridian/internal/cli/terminal"
)

// Grid is a table with aligned columns.
type Grid struct {
	rows [][]string
}

// NewGrid starts a table with its column titles.
func NewGrid(titles ...string) *Grid { return &Grid{rows: [][]string{titles}} }

// Row adds a row. An empty cell shows as a dash, so that columns can be cut
// at white space.
func (g *Grid) Row(cells ...string) {
	row := make([]string, len(cells))
	for i, cell := range cells {
		row[i] = OrDash(terminal.Clean(cell))
	}
	g.rows = append(g.rows, row)
}

// Empty reports whether there are no rows below the titles.
func (g *Grid) Empty() bool { return len(g.rows) == 1 }

// Write prints the table, each line after the indentation.
func (g *Grid) Write(w io.Writer, indentation string) error {
	tabs := tabwriter.NewWriter(w, 0, 8, 3, ' ', tabwriter.TabIndent)
	for _, row := range g.rows {
		if _, err := io.WriteString(tabs, indentation+strings.Join(row, "\t")+"\n"); err != nil {
			return err
		}
	}
	return tabs.Flush()
}

// OrDash shows emptiness.
func OrDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}
