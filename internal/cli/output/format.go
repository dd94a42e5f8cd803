package output

import (
	"fmt"
	"strings"
)

// Format is a value of -o.
type Format string

// The formats.
const (
	Table Format = "table"
	Wide  Format = "wide"
	JSON  Format = "json"
	YAML  Format = "yaml"
	Name  Format = "name"
)

// Formats lists them.
var Formats = []string{string(Table), string(Wide), string(JSON), string(YAML), string(Name)}

// Set implements pflag.Value.
func (f *Format) Set(text string) error {
	for _, known := range Formats {
		if text == known {
			*f = Format(text)
			return nil
		}
	}
	return fmt.Errorf("want one of %s", strings.Join(Formats, ", "))
}

// String implements pflag.Value.
func (f *Format) String() string { return string(*f) }

// Type implements pflag.Value.
func (f *Format) Type() string { return "format" }

// Tabular reports whether people read the output.
func (f Format) Tabular() bool { return f == Table || f == Wide }
