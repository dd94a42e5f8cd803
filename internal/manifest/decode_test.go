package manifest

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

type base struct {
	Shared string `json:"shared"`
}

type sample struct {
	base
	Text     string            `json:"text"`
	Number   int8              `json:"number"`
	Share    float64           `json:"share"`
	Flag     *bool             `json:"flag"`
	Raw      json.RawMessage   `json:"raw"`
	Any      any               `json:"any"`
	Names    map[string]int    `json:"names"`
	At       time.Time         `json:"at"`
	Duration fleet.Duration    `json:"duration"`
	Amount   *fleet.Amount     `json:"amount"`
	List     []base            `json:"list"`
	Labels   map[string]string `json:"labels"`
	Hidden   string            `json:"-"`
}

func TestDecodeStrict(t *testing.T) {
	t.Parallel()
	value, index, err := DecodeStrict[sample]("a.yaml", []byte(`
shared: s
text: 2026-01-01
number: -0x10
share: 3
flag: true
raw: {b: [1, 2.5, null, "x"], a: {c: yes}}
any: [1, {a: b}]
names: {one: 1, "two.three/four": 2}
at: 2026-01-02T03:04:05Z
duration: 90s
amount: 25%
list:
- shared: first
- {shared: second}
labels:
`))
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"text":"2026-01-01","number":-16,"share":3,"flag":true,"raw":{"a":{"c":"yes"},"b":[1,2.5,null,"x"]},
		"any":[1,{"a":"b"}],"names":{"one":1,"two.three/four":2},"at":"2026-01-02T03:04:05Z","duration":"1m30s",
		"amount":"25%","list":[{"shared":"first"},{"shared":"second"}],"labels":null,"shared":"s"}`
	if !jsonEqual(t, encoded, []byte(want)) {
		t.Errorf("got %s", encoded)
	}
	for field, want := range map[string]string{
		"list[1].shared":          "a.yaml:15:12",
		"list[1].absent.deeper":   "a.yaml:15:3",
		`names["two.three/four"]`: "a.yaml:9:35",
		"raw.b[1]":                "a.yaml:7:14",
		"absent":                  "a.yaml:2:1",
	} {
		if got := index.Position(field).String(); got != want {
			t.Errorf("%s is at %s, want %s", field, got, want)
		}
	}
	fault := index.Fault("duration", "too long")
	if fault.Error() != "a.yaml:11:11: duration: too long" {
		t.Errorf("fault: %v", fault)
	}
}

func TestDecodeStrictFaults(t *testing.T) {
	t.Parallel()
	for content, want := range map[string]string{
		"":                      "a.yaml: the file has no document",
		"text: a\n---\ntext: b": "a.yaml:3:1: a second document; want one",
		"number: 300":           "a.yaml:1:9: number: want a whole number, got the number 300",
		"number: 1.0":           "a.yaml:1:9: number: want a whole number, got the number 1.0",
		"share: many":           `a.yaml:1:8: share: want a number, got the text "many"`,
		"flag: yes":             `a.yaml:1:7: flag: want true or false, got the text "yes"`,
		"any: .nan":             "a.yaml:1:6: any: want a finite number, got .nan",
		"raw: {a: 1, a: 2}":     "a.yaml:1:13: raw.a: given twice, first on line 1",
		"Hidden: x":             `a.yaml:1:1: Hidden: unknown field "Hidden" (known are amount, any, at, duration, flag, labels, list, names, number, raw, share, shared, text)`,
		"Text: x":               `a.yaml:1:1: Text: unknown field "Text" (did you mean "text"?)`,
		"list: [{sharde: x}]":   `a.yaml:1:9: list[0].sharde: unknown field "sharde" (did you mean "shared"?)`,
		"text: [":               "a.yaml:1: not YAML: did not find expected node content",
		"text: a\n# \xff":       "a.yaml:2:3: not text: byte 0xff",
		"text: \x01":            "a.yaml:1:7: not text: byte 0x01",
		"\xff\xfet\x00:\x00":    "a.yaml:1:1: not text: byte 0xff (it is UTF-16; save it as UTF-8)",
		"\xfe\xff\x00t\x00:":    "a.yaml:1:1: not text: byte 0xfe (it is UTF-16; save it as UTF-8)",
		"list: !!set {a: b}":    "a.yaml:1:7: list: tags (!!set) are not supported",
		"raw: *nowhere":         "a.yaml:1:6: not YAML: unknown anchor 'nowhere' referenced",
	} {
		_, index, err := DecodeStrict[sample]("a.yaml", []byte(content))
		if err == nil || err.Error() != want || !errors.Is(err, fleet.ErrInvalid) {
			t.Errorf("%q:\n got %v\nwant %s", content, err, want)
		}
		if index == nil {
			t.Errorf("%q: no index", content)
		}
	}
}
