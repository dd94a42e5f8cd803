package output

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/meridian-fleet/meridian/internal/cli/terminal"
)

// Text prints a value as indented text for people: "kubernetesVersion" reads
// "Kubernetes version".
func Text(w io.Writer, indentation string, fields map[string]any) {
	text(w, indentation, fields, Title)
}

// chosen are fields whose keys people chose: they are no names of fields.
var chosen = map[string]bool{"labels": true, "annotations": true, "matchLabels": true, "instanceTypes": true}

func text(w io.Writer, indentation string, fields map[string]any, title func(string) string) {
	width := titleWidth(fields, title)
	for _, key := range slices.SortedFunc(maps.Keys(fields), scalarsFirst(fields)) {
		below := Title
		if chosen[key] {
			below = func(key string) string { return key }
		}
		textField(w, indentation, title(key), fields[key], width, below)
	}
}

// Head prints a document's name and kind above its metadata.
func Head(w io.Writer, name, kind string, metadata map[string]any) {
	width := titleWidth(metadata, Title)
	for _, row := range [][2]string{{"Name:", name}, {"Kind:", kind}} {
		fmt.Fprintf(w, "%-*s  %s\n", width+1, row[0], terminal.Clean(row[1]))
	}
	Text(w, "", metadata)
}

func titleWidth(fields map[string]any, title func(string) string) int {
	width := 0
	for key, value := range fields {
		if !nested(value) {
			width = max(width, len(title(key)))
		}
	}
	return width
}

// scalarsFirst keeps short fields together above nested ones.
func scalarsFirst(fields map[string]any) func(a, b string) int {
	return func(a, b string) int {
		if x, y := nested(fields[a]), nested(fields[b]); x != y {
			if y {
				return -1
			}
			return 1
		}
		return strings.Compare(a, b)
	}
}

func textField(w io.Writer, indentation, title string, value any, width int, below func(string) string) {
	switch value := value.(type) {
	case map[string]any:
		fmt.Fprintf(w, "%s%s:\n", indentation, title)
		text(w, indentation+"  ", value, below)
	case []any:
		if !nested(value) {
			fmt.Fprintf(w, "%s%-*s  %s\n", indentation, width+1, title+":", inline(value))
			return
		}
		fmt.Fprintf(w, "%s%s:\n", indentation, title)
		textItems(w, indentation, value)
	default:
		fmt.Fprintf(w, "%s%-*s  %s\n", indentation, width+1, title+":", OrDash(terminal.Clean(Scalar(value))))
	}
}

func textItems(w io.Writer, indentation string, items []any) {
	for _, item := range items {
		fields, ok := item.(map[string]any)
		if !ok {
			fmt.Fprintf(w, "%s- %s\n", indentation, terminal.Clean(Scalar(item)))
			continue
		}
		var item strings.Builder
		Text(&item, indentation+"  ", fields)
		fmt.Fprint(w, indentation+"- "+strings.TrimPrefix(item.String(), indentation+"  "))
	}
}

// nested reports whether a value takes lines of its own.
func nested(value any) bool {
	switch value := value.(type) {
	case map[string]any:
		return true
	case []any:
		return slices.ContainsFunc(value, nested)
	}
	return false
}

func inline(items []any) string {
	var parts []string
	for _, item := range items {
		parts = append(parts, terminal.Clean(Scalar(item)))
	}
	return OrDash(strings.Join(parts, ", "))
}

// Title turns a field's name into words. Names with other characters than
// letters are keys that people chose, such as labels, and stay.
func Title(key string) string {
	if strings.ContainsFunc(key, func(r rune) bool { return !unicode.IsLetter(r) }) || key == "" {
		return key
	}
	var b strings.Builder
	runes := []rune(key)
	for i, r := range runes {
		switch {
		case i == 0:
			b.WriteRune(unicode.ToUpper(r))
		case unicode.IsUpper(r) && !unicode.IsUpper(runes[i-1]):
			b.WriteRune(' ')
			if i+1 < len(runes) && unicode.IsUpper(runes[i+1]) {
				b.WriteRune(r)
			} else {
				b.WriteRune(unicode.ToLower(r))
			}
		default:
			b.WriteRune(r)
		}
	}
	return strings.ReplaceAll(b.String(), "Gpu", "GPU")
}
