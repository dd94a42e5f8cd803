package manifest

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// MaxSize is how many bytes a file may have.
const MaxSize = 4 << 20

// split parses a file into the roots of its documents, empty ones left out.
// After a syntax error the documents before it are returned too.
func split(path string, content []byte) ([]*yaml.Node, error) {
	if len(content) > MaxSize {
		return nil, fleet.Errorf(fleet.ErrInvalid, "the file has %d bytes, more than the %d allowed", len(content), MaxSize).
			At(fleet.Position{File: path}, "")
	}
	if err := checkText(path, content); err != nil {
		return nil, err
	}
	decoder := yaml.NewDecoder(bytes.NewReader(pairSurrogates(content)))
	var roots []*yaml.Node
	for {
		var document yaml.Node
		err := decodeSafely(decoder, &document)
		if errors.Is(err, io.EOF) {
			return roots, nil
		}
		if err != nil {
			return roots, syntaxError(path, content, err)
		}
		if len(document.Content) == 1 && !isNull(document.Content[0]) {
			roots = append(roots, document.Content[0])
		}
	}
}

// checkText refuses bytes that no text has, and says where they are, which the
// YAML parser cannot.
func checkText(path string, content []byte) error {
	for offset := 0; offset < len(content); {
		character, size := utf8.DecodeRune(content[offset:])
		bad := character == utf8.RuneError && size == 1 ||
			unicode.IsControl(character) && !strings.ContainsRune("\t\n\r\u0085", character)
		if bad {
			fault := fleet.Errorf(fleet.ErrInvalid, "not text: byte 0x%02x", content[offset]).At(place(path, content, offset), "")
			if isUTF16(content) {
				fault.Advise("it is UTF-16; save it as UTF-8")
			}
			return fault
		}
		offset += size
	}
	return nil
}

// isUTF16 reports whether a file begins with UTF-16's byte-order mark, as
// editors and shells on Windows write it.
func isUTF16(content []byte) bool {
	return bytes.HasPrefix(content, []byte("\xff\xfe")) || bytes.HasPrefix(content, []byte("\xfe\xff"))
}

// place is the position of a byte.
func place(path string, content []byte, offset int) fleet.Position {
	before := content[:offset]
	return fleet.Position{
		File: path, Line: 1 + bytes.Count(before, []byte("\n")),
		Column: 1 + utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:]),
	}
}

// decodeSafely turns a panic of the YAML parser into an error: the input is
// anybody's.
func decodeSafely(decoder *yaml.Decoder, document *yaml.Node) (err error) {
	defer func() {
		if problem := recover(); problem != nil {
			err = fleet.Errorf(fleet.ErrInvalid, "not YAML: %v", problem)
		}
	}()
	return decoder.Decode(document)
}

var (
	yamlLine = regexp.MustCompile(`^line (\d+): `)
	// Errors of YAML's parser (its scanner's are right) name the line before.
	yamlParser = regexp.MustCompile(`^did not find expected (key|'-'|','|node|<)`)
	yamlAnchor = regexp.MustCompile(`^unknown anchor '(.*)' referenced$`)
)

// syntaxError finds the place of an error of the YAML library, which gives it
// in the text, if at all; for the first line it does not.
func syntaxError(path string, content []byte, err error) error {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	position := fleet.Position{File: path, Line: 1}
	if match := yamlLine.FindStringSubmatch(text); match != nil {
		position.Line, _ = strconv.Atoi(match[1])
		text = strings.TrimPrefix(text, match[0])
		if yamlParser.MatchString(text) {
			position.Line = min(position.Line+1, 1+bytes.Count(bytes.TrimRight(content, " \t\r\n"), []byte("\n")))
		}
	} else if match := yamlAnchor.FindStringSubmatch(text); match != nil {
		position = place(path, content, max(bytes.Index(content, []byte("*"+match[1])), 0))
	}
	return fleet.Errorf(fleet.ErrInvalid, "not YAML: %s", text).At(position, "")
}

var jsonEscapes = regexp.MustCompile(`\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}`)

// pairSurrogates rewrites the one thing JSON allows and YAML does not: a
// character escaped as two UTF-16 halves.
func pairSurrogates(content []byte) []byte {
	if !bytes.Contains(content, []byte(`\u`)) || !json.Valid(content) {
		return content
	}
	return jsonEscapes.ReplaceAllFunc(content, func(escape []byte) []byte {
		if len(escape) == 2 {
			return escape
		}
		high, errHigh := strconv.ParseUint(string(escape[2:6]), 16, 16)
		low, errLow := strconv.ParseUint(string(escape[8:12]), 16, 16)
		if errHigh != nil || errLow != nil {
			return escape
		}
		return []byte(string(utf16.DecodeRune(rune(high), rune(low))))
	})
}

func isNull(node *yaml.Node) bool { return node.Kind == yaml.ScalarNode && node.ShortTag() == "!!null" }
