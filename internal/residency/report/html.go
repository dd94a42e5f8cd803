package report

import (
	"bytes"
	_ "embed"
	"html/template"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

//go:embed page.html
var pageText string

//go:embed page.css
var pageStyle string

// page escapes everything by where it stands. The style is ours.
var page = template.Must(template.New("page").Funcs(template.FuncMap{
	"style": func() template.CSS { return template.CSS(pageStyle) }, //nolint:gosec // part of the program
}).Parse(pageText))

// The element that carries the pack.
const (
	packOpening = "<script type=\"application/vnd.meridian.evidence+base64\" id=\"evidence\">\n"
	packClosing = "</script>\n</body>\n</html>\n"
)

// renderHTML writes the page and, at its end, the pack.
func renderHTML(content []byte, body fleet.EvidenceBody) ([]byte, error) {
	view, err := newView(content, body)
	if err != nil {
		return nil, err
	}
	var buffer bytes.Buffer
	if err := page.Execute(&buffer, view); err != nil {
		return nil, fleet.Errorf(fleet.ErrInternal, "write the page: %w", err)
	}
	buffer.WriteString(packOpening)
	buffer.Write(encodeLines(content))
	buffer.WriteString(packClosing)
	return buffer.Bytes(), nil
}
