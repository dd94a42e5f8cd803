package report

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/google/uuid"
)

// oscalVersion is the version of OSCAL the results are written in.
const oscalVersion = "1.1.3"

// oscalNamespace is where the names of our properties are defined.
const oscalNamespace = "https://meridian.dev/ns/oscal"

// packFile is the name of the pack among the back matter.
const packFile = "evidence.json"

type oscalDocument struct {
	Results oscalAssessment `json:"assessment-results"`
}

type oscalAssessment struct {
	UUID       string          `json:"uuid"`
	Metadata   oscalMetadata   `json:"metadata"`
	Plan       oscalImport     `json:"import-ap"`
	Results    []oscalResult   `json:"results"`
	BackMatter oscalBackMatter `json:"back-matter"`
}

type oscalMetadata struct {
	Title        string      `json:"title"`
	LastModified string      `json:"last-modified"`
	Version      string      `json:"version"`
	OSCALVersion string      `json:"oscal-version"`
	Props        []oscalProp `json:"props,omitempty"`
	Remarks      string      `json:"remarks,omitempty"`
}

type oscalImport struct {
	Href    string `json:"href"`
	Remarks string `json:"remarks,omitempty"`
}

type oscalProp struct {
	Name  string `json:"name"`
	NS    string `json:"ns"`
	Value string `json:"value"`
}

type oscalResult struct {
	UUID         string             `json:"uuid"`
	Title        string             `json:"title"`
	Description  string             `json:"description"`
	Start        string             `json:"start"`
	End          string             `json:"end"`
	Props        []oscalProp        `json:"props,omitempty"`
	Local        *oscalLocal        `json:"local-definitions,omitempty"`
	Reviewed     oscalReviewed      `json:"reviewed-controls"`
	Observations []oscalObservation `json:"observations,omitempty"`
	Risks        []oscalRisk        `json:"risks,omitempty"`
	Findings     []oscalFinding     `json:"findings,omitempty"`
}

type oscalLocal struct {
	Items []oscalItem `json:"inventory-items"`
}

type oscalItem struct {
	UUID        string      `json:"uuid"`
	Description string      `json:"description"`
	Props       []oscalProp `json:"props,omitempty"`
}

type oscalReviewed struct {
	Selections []oscalSelection `json:"control-selections"`
}

type oscalSelection struct {
	Description string         `json:"description,omitempty"`
	All         *struct{}      `json:"include-all,omitempty"`
	Controls    []oscalControl `json:"include-controls,omitempty"`
}

type oscalControl struct {
	ID string `json:"control-id"`
}

type oscalObservation struct {
	UUID        string          `json:"uuid"`
	Title       string          `json:"title"`
	Description string          `json:"description"`
	Props       []oscalProp     `json:"props,omitempty"`
	Methods     []string        `json:"methods"`
	Types       []string        `json:"types"`
	Subjects    []oscalSubject  `json:"subjects"`
	Evidence    []oscalEvidence `json:"relevant-evidence"`
	Collected   string          `json:"collected"`
	Remarks     string          `json:"remarks,omitempty"`
}

type oscalSubject struct {
	UUID string `json:"subject-uuid"`
	Type string `json:"type"`
}

type oscalEvidence struct {
	Href        string `json:"href"`
	Description string `json:"description"`
}

type oscalRisk struct {
	UUID        string             `json:"uuid"`
	Title       string             `json:"title"`
	Description string             `json:"description"`
	Statement   string             `json:"statement"`
	Status      string             `json:"status"`
	Related     []oscalObservedRef `json:"related-observations,omitempty"`
}

type oscalFinding struct {
	UUID        string             `json:"uuid"`
	Title       string             `json:"title"`
	Description string             `json:"description"`
	Target      oscalTarget        `json:"target"`
	Related     []oscalObservedRef `json:"related-observations,omitempty"`
	Risks       []oscalRiskRef     `json:"related-risks,omitempty"`
	Props       []oscalProp        `json:"props,omitempty"`
}

type oscalTarget struct {
	Type   string      `json:"type"`
	ID     string      `json:"target-id"`
	Title  string      `json:"title,omitempty"`
	Status oscalStatus `json:"status"`
}

type oscalStatus struct {
	State   string `json:"state"`
	Reason  string `json:"reason,omitempty"`
	Remarks string `json:"remarks,omitempty"`
}

type oscalObservedRef struct {
	UUID string `json:"observation-uuid"`
}

type oscalRiskRef struct {
	UUID string `json:"risk-uuid"`
}

type oscalBackMatter struct {
	Resources []oscalResource `json:"resources"`
}

type oscalResource struct {
	UUID        string       `json:"uuid"`
	Title       string       `json:"title"`
	Description string       `json:"description,omitempty"`
	Props       []oscalProp  `json:"props,omitempty"`
	Base64      *oscalBase64 `json:"base64,omitempty"`
}

type oscalBase64 struct {
	Filename  string `json:"filename"`
	MediaType string `json:"media-type"`
	Value     string `json:"value"`
}

// oscalNames makes the identifiers of one document: UUIDs version 5 from the
// pack's digest and what they name.
type oscalNames struct{ space uuid.UUID }

func newOSCALNames(content []byte) oscalNames {
	sum := sha256.Sum256(content)
	return oscalNames{uuid.NewSHA1(uuid.NameSpaceURL, []byte(oscalNamespace+"#"+hex.EncodeToString(sum[:])))}
}

func (n oscalNames) of(parts ...any) string {
	return uuid.NewSHA1(n.space, []byte(fmt.Sprintf("%q", fmt.Sprint(parts...)))).String()
}

// token makes a valid OSCAL token (an NCName) of a rule's POLICY/RULE. Names
// that lose characters get a digest, so that two never become one.
func token(name string) string {
	var kept strings.Builder
	lost := strings.Contains(name, ".") // "a.b/c" is not "a/b.c"
	for i, r := range strings.Replace(name, "/", ".", 1) {
		switch {
		case unicode.IsLetter(r) || r == '_' || i > 0 && (unicode.IsNumber(r) || strings.ContainsRune(".-", r)):
			kept.WriteRune(r)
		default:
			kept.WriteByte('_')
			lost = true
		}
	}
	if lost || kept.Len() == 0 {
		sum := sha256.Sum256([]byte(name))
		kept.WriteString("_" + hex.EncodeToString(sum[:4]))
	}
	return kept.String()
}

// props drops what has no value; values are one line.
func props(pairs ...string) []oscalProp {
	var kept []oscalProp
	for pair := range slices.Chunk(pairs, 2) {
		if value := strings.Join(strings.Fields(pair[1]), " "); value != "" {
			kept = append(kept, oscalProp{Name: pair[0], NS: oscalNamespace, Value: value})
		}
	}
	return kept
}

// markup escapes what OSCAL's Markdown would take for HTML.
func markup(text string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(text)
}

func oscalTime(at time.Time) string { return at.UTC().Format(time.RFC3339Nano) }

func embedded(content []byte) *oscalBase64 {
	return &oscalBase64{Filename: packFile, MediaType: "application/json", Value: base64.StdEncoding.EncodeToString(content)}
}
