package report_test

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
	"pgregory.net/rapid"

	"github.com/meridian-fleet/meridian/internal/evidence/pack"
	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/residency/report"
)

var goldenFiles = map[string]string{report.FormatHTML: "report.html", report.FormatOSCAL: "report.oscal.json", report.FormatCSV: "report.csv"}

func render(t *testing.T, content []byte, format string) []byte {
	t.Helper()
	rendered, err := report.Render(content, format)
	if err != nil {
		t.Fatal(err)
	}
	return rendered
}

// TestGolden compares every rendering with the one in testdata.
func TestGolden(t *testing.T) {
	content := readPack(t)
	for format, file := range goldenFiles {
		rendered := render(t, content, format)
		path := filepath.Join("testdata", file)
		if *update || *updatePack {
			if err := os.WriteFile(path, rendered, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path) //nolint:gosec // ours
		if err != nil {
			t.Fatal(err)
		}
		if where := pack.FirstDifference(rendered, want); where != "" {
			t.Errorf("%s differs from %s at %s; look, and run with -update", format, path, where)
		}
	}
	if !bytes.Equal(render(t, content, report.FormatJSON), content) {
		t.Error("json is not the pack")
	}
}

func TestVerifies(t *testing.T) {
	content := readPack(t)
	for _, format := range report.Formats {
		rendered := render(t, content, format)
		outcome, err := report.Verify(rendered, content, pack.Options{})
		if err != nil || !outcome.Intact {
			t.Errorf("%s: %+v, %v", format, outcome, err)
		}
		packed, found, err := report.Extract(rendered)
		if err != nil || found != format || format != report.FormatCSV && !bytes.Equal(packed, content) {
			t.Errorf("%s: extracted as %q, %v", format, found, err)
		}
	}
	for _, spoilt := range []struct{ content, sidecar []byte }{
		{nil, nil}, {[]byte("hello"), nil}, {[]byte("{}"), nil}, {[]byte("<!doctype html><p>"), nil}, {[]byte(`{"assessment-results":{}}`), nil},
		{render(t, content, report.FormatCSV), nil}, {render(t, content, report.FormatCSV), []byte("{}")},
	} {
		if outcome, err := report.Verify(spoilt.content, spoilt.sidecar, pack.Options{}); err != nil || outcome.Intact || len(outcome.Faults) == 0 {
			t.Errorf("%.20q: %+v, %v", spoilt.content, outcome, err)
		}
	}
	if _, err := report.Render(content, "pdf"); !errors.Is(err, fleet.ErrInvalid) {
		t.Errorf("an unknown format: %v", err)
	}
	if _, err := report.Render([]byte("{"), report.FormatHTML); !errors.Is(err, fleet.ErrInvalid) {
		t.Errorf("no pack: %v", err)
	}
}

// TestEveryByteCounts changes any byte of any rendering: verification fails
// and says where.
func TestEveryByteCounts(t *testing.T) {
	content := readPack(t)
	for _, format := range report.Formats {
		rendered := render(t, content, format)
		t.Run(format, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				changed := bytes.Clone(rendered)
				at := rapid.IntRange(0, len(changed)-1).Draw(t, "at")
				changed[at] ^= byte(rapid.IntRange(1, 255).Draw(t, "by"))
				mustFail(t, changed, content)
			})
			mustFail(t, rendered[:len(rendered)-1], content)
			mustFail(t, append(bytes.Clone(rendered), '\n'), content)
		})
	}
}

// TestEditors does what programs do that open and save a file, and cuts it off.
func TestEditors(t *testing.T) {
	content := readPack(t)
	lines := func(to string) func([]byte) []byte {
		return func(text []byte) []byte {
			return bytes.ReplaceAll(bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n")), []byte("\n"), []byte(to))
		}
	}
	for name, test := range map[string]struct {
		edit  func([]byte) []byte
		exact []string // formats in which the first changed byte is named
	}{
		"byte order mark":      {func(text []byte) []byte { return append([]byte("\xef\xbb\xbf"), text...) }, report.Formats},
		"line ends of Windows": {lines("\r\n"), []string{report.FormatHTML, report.FormatOSCAL}},
		"line ends of Unix":    {lines("\n"), []string{report.FormatCSV}},
		"first byte":           {func(text []byte) []byte { text[0] ^= 1; return text }, report.Formats},
		"opening of the pack": {func(text []byte) []byte {
			return bytes.Replace(text, []byte(`id="evidence"`), []byte(`id="evidenza"`), 1)
		}, []string{report.FormatHTML}},
		"space at the end": {func(text []byte) []byte { return append(text, ' ') }, report.Formats},
		"cut off":          {func(text []byte) []byte { return text[:len(text)*3/4] }, nil},
		"compressed":       {func([]byte) []byte { return []byte("\x1f\x8b\x08\x00more") }, nil},
		"empty":            {func([]byte) []byte { return nil }, nil},
	} {
		for _, format := range report.Formats {
			rendered := render(t, content, format)
			edited := test.edit(bytes.Clone(rendered))
			if bytes.Equal(edited, rendered) {
				continue
			}
			outcome, err := report.Verify(edited, content, pack.Options{})
			where := pack.FirstDifference(edited, rendered)
			if err != nil || outcome.Intact || len(outcome.Faults) == 0 || slices.Contains(test.exact, format) && outcome.Faults[0].Where != where {
				t.Errorf("%s, %s: not at %s: %+v, %v", name, format, where, outcome.Faults, err)
			}
		}
	}
}

// TestWhereInThePack breaks the embedded pack: the file's own line is named.
func TestWhereInThePack(t *testing.T) {
	content := readPack(t)
	for _, format := range []string{report.FormatHTML, report.FormatOSCAL} {
		for _, broken := range []string{"IiIi", "****"} { // three quotation marks; no base64
			rendered := render(t, content, format)
			at := bytes.Index(rendered, []byte("eyJmb3JtYXQiOiJt")) + 40
			copy(rendered[at:], broken)
			outcome, err := report.Verify(rendered, nil, pack.Options{})
			line := fmt.Sprintf("(line %d), in the pack inside", 1+bytes.Count(rendered[:at], []byte("\n")))
			if err != nil || outcome.Intact || !strings.HasSuffix(outcome.Faults[0].Where, line) {
				t.Errorf("%s: want %q, got %+v, %v", format, line, outcome.Faults, err)
			}
		}
	}
	sidecar := bytes.Replace(bytes.Clone(content), []byte(`{"format"`), []byte(`{"format "`), 1)
	outcome, err := report.Verify(render(t, content, report.FormatCSV), append([]byte(" "), content...), pack.Options{})
	if err != nil || outcome.Intact || outcome.Faults[0].Where != "the file beside it, byte 1 (line 1)" {
		t.Errorf("%+v, %v", outcome.Faults, err)
	}
	mustFail(t, render(t, content, report.FormatCSV), sidecar)
}

func mustFail(t interface{ Errorf(string, ...any) }, changed, sidecar []byte) {
	outcome, err := report.Verify(changed, sidecar, pack.Options{})
	if err != nil || outcome.Intact || len(outcome.Faults) == 0 || outcome.Faults[0].Where == "" {
		t.Errorf("%+v, %v", outcome, err)
	}
}

// TestPage parses the page as browsers do: every element is closed, nothing is
// loaded, nothing of the data became markup.
func TestPage(t *testing.T) {
	page := render(t, readPack(t), report.FormatHTML)
	tokens := html.NewTokenizer(bytes.NewReader(page))
	void := []string{"meta", "br", "link", "img", "input", "hr"}
	var open []string
	scripts := 0
	for tokens.Next() != html.ErrorToken {
		token := tokens.Token()
		switch token.Type {
		case html.StartTagToken:
			if token.Data == "script" {
				scripts++
			}
			for _, attribute := range token.Attr {
				if slices.Contains([]string{"src", "href", "action", "srcset"}, attribute.Key) && !strings.HasPrefix(attribute.Val, "#") || strings.HasPrefix(attribute.Key, "on") {
					t.Errorf("<%s %s=%q>", token.Data, attribute.Key, attribute.Val)
				}
			}
			if !slices.Contains(void, token.Data) {
				open = append(open, token.Data)
			}
		case html.EndTagToken:
			if len(open) == 0 || open[len(open)-1] != token.Data {
				t.Fatalf("</%s> closes %v", token.Data, open)
			}
			open = open[:len(open)-1]
		}
	}
	if len(open) > 0 || scripts != 1 {
		t.Errorf("left open: %v; %d scripts", open, scripts)
	}
	if bytes.Contains(page, []byte("url(")) || bytes.Contains(page, []byte("@import")) || bytes.Contains(page, []byte("<b>stays")) || bytes.Contains(page, []byte("ZgotmplZ")) {
		t.Error("something is loaded, or not escaped")
	}
}

// TestPageSays looks for what an officer needs to read.
func TestPageSays(t *testing.T) {
	page := readable(t, render(t, readPack(t), report.FormatHTML))
	for _, want := range []string{
		"2 places are out of line. 1 place is lawful only because of an approved exception. 4 places were checked in 4 regions",
		"dataset patients, stored, in azure/brazilsouth (São Paulo, Brazil)", "It may be kept in the EEA only.", "SGB V §393", "San Antonio is in US, which is not in EEA.",
		"azure/southcentralus (San Antonio, United States of America)", "region.country = US (attested, catalog of azure)", "data.secrecy = unknown",
		"allowed without geo-redundancy", "allowed in: aws/eu-central-1", "moving-house: in force", "bob@example.org, 2026-01-03T09:00:00Z: until June only",
		"2026-01-01 to 2026-06-30", "Tell the patients (to the patients) within 5 business days, due 2026-03-08T12:00:00Z", "Only in EEA, but not NO.",
		"At least 1 copy (stored, backed up, replicated) in DE.", "May leave for EU-adequate on the basis of adequacy; at home in EEA.",
		"Whoever runs the place: not controlled from US, CN.", "Professional secrecy itself.", "European Economic Area", "1994-01-01", "place in azure/brazilsouth, by ann@example.org",
		"✗ refused", "contracts/17", "fleetctl evidence verify FILE", "This is not legal advice.", "</script><script>alert(1)</script>", "✓ yes", "✗ no", "◐ by exception",
		"a rule without citation (eu-health/copy)", "country/IN (India)",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
}

// readable is the page's text, with single spaces.
func readable(t *testing.T, page []byte) string {
	t.Helper()
	root, err := html.Parse(bytes.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for node := range root.Descendants() {
		if node.Type == html.TextNode && node.Parent.Data != "script" && node.Parent.Data != "style" {
			texts = append(texts, node.Data)
		}
	}
	return strings.Join(strings.Fields(strings.Join(texts, "")), " ")
}

func TestEmptyReport(t *testing.T) {
	s := situation{body: fleet.EvidenceBody{MadeAt: noon}, resources: []fleet.Resource{made(t, fleet.KindDataClass, "personal", fleet.DataClassSpec{}, nil)}}
	content := sealed(t, s)
	for _, format := range report.Formats {
		rendered := render(t, content, format)
		if outcome, err := report.Verify(rendered, content, pack.Options{}); err != nil || !outcome.Intact {
			t.Errorf("%s: %+v, %v", format, outcome, err)
		}
	}
	if page := readable(t, render(t, content, report.FormatHTML)); !strings.Contains(page, "nothing to judge") || strings.Contains(page, "In order") {
		t.Error("an empty report does not say that it is empty")
	}
	checkOSCAL(t, render(t, content, report.FormatOSCAL))
}

// TestTable reads the CSV back.
func TestTable(t *testing.T) {
	rendered := render(t, readPack(t), report.FormatCSV)
	if lines := bytes.Count(rendered, []byte("\n")); lines != bytes.Count(rendered, []byte("\r\n")) {
		t.Error("lines do not end with CRLF")
	}
	rows, err := csv.NewReader(bytes.NewReader(rendered)).ReadAll()
	if err != nil || len(rows) != 5 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	for _, row := range rows {
		for _, field := range row {
			if field != "" && strings.ContainsAny(field[:1], "=+-@\t\r") {
				t.Errorf("a spreadsheet takes %q for a formula", field)
			}
		}
	}
	column := func(name string) int { return slices.Index(rows[0], name) }
	brazil := rows[2]
	for name, want := range map[string]string{
		"subject": "patients", "region": "azure/brazilsouth", "pair": "azure/southcentralus", "facet": "storage", "verdict": "denied", "policy": "eu-health",
		"rule": "stays", "effect": "denies", "looked at": "azure/southcentralus", "cites": "SGB V §393", "known by": "observed", "from": "2026-01-15",
	} {
		if got := brazil[column(name)]; got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}

// TestLargeReport renders 5,000 places.
func TestLargeReport(t *testing.T) {
	s := hospital(t)
	place := s.body.Audit.Places[0]
	for i := range 5000 {
		another := place
		another.Subject.Name = fmt.Sprint("dataset-", i)
		s.body.Audit.Places = append(s.body.Audit.Places, another)
	}
	content := sealed(t, s)
	page := readable(t, render(t, content, report.FormatHTML))
	if !strings.Contains(page, "5004 places were checked") || !strings.Contains(page, "dataset-4999") || !strings.Contains(page, "and 4976 more") {
		t.Error("places are missing")
	}
	checkOSCAL(t, render(t, content, report.FormatOSCAL))
}

func FuzzExtract(f *testing.F) {
	for _, file := range []string{"pack.json", "report.html", "report.oscal.json", "report.csv"} {
		content, err := os.ReadFile(filepath.Join("testdata", file)) //nolint:gosec // ours
		if err != nil {
			f.Fatal(err)
		}
		f.Add(content)
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		outcome, err := report.Verify(content, nil, pack.Options{})
		if err != nil || !outcome.Intact && len(outcome.Faults) == 0 {
			t.Errorf("%+v, %v", outcome, err)
		}
	})
}
