package report_test

import (
	"encoding/base64"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/meridian-fleet/meridian/internal/residency/report"
)

// The data types of OSCAL 1.1.
var (
	oscalUUID   = regexp.MustCompile(`^[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[45][0-9A-Fa-f]{3}-[89ABab][0-9A-Fa-f]{3}-[0-9A-Fa-f]{12}$`)
	oscalToken  = regexp.MustCompile(`^(\p{L}|_)(\p{L}|\p{N}|[.\-_])*$`)
	oscalString = regexp.MustCompile(`^\S(.*\S)?$`)
	oscalStamp  = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$`)
	oscalURI    = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9+\-.]+:.+$`)
	oscalRef    = regexp.MustCompile(`^#[0-9a-f-]{36}$`)
)

// shape is what one object of the model may and must have.
type shape struct {
	required []string
	optional []string
}

// shapes by where the object stands: the last member names of its path.
var shapes = map[string]shape{
	"":                     {[]string{"assessment-results"}, nil},
	"assessment-results":   {[]string{"uuid", "metadata", "import-ap", "results"}, []string{"local-definitions", "back-matter"}},
	"metadata":             {[]string{"title", "last-modified", "version", "oscal-version"}, []string{"published", "revisions", "document-ids", "props", "links", "roles", "locations", "parties", "responsible-parties", "actions", "remarks"}},
	"import-ap":            {[]string{"href"}, []string{"remarks"}},
	"results":              {[]string{"uuid", "title", "description", "start", "reviewed-controls"}, []string{"end", "props", "links", "local-definitions", "attestations", "assessment-log", "observations", "risks", "findings", "remarks"}},
	"local-definitions":    {nil, []string{"components", "inventory-items", "users", "assessment-assets", "tasks"}},
	"inventory-items":      {[]string{"uuid", "description"}, []string{"props", "links", "responsible-parties", "implemented-components", "remarks"}},
	"props":                {[]string{"name", "value"}, []string{"uuid", "ns", "class", "group", "remarks"}},
	"reviewed-controls":    {[]string{"control-selections"}, []string{"description", "props", "links", "control-objective-selections", "remarks"}},
	"control-selections":   {nil, []string{"description", "props", "links", "include-all", "include-controls", "exclude-controls", "remarks"}},
	"include-all":          {},
	"include-controls":     {[]string{"control-id"}, []string{"statement-ids"}},
	"observations":         {[]string{"uuid", "description", "methods", "collected"}, []string{"title", "props", "links", "types", "origins", "subjects", "relevant-evidence", "expires", "remarks"}},
	"subjects":             {[]string{"subject-uuid", "type"}, []string{"title", "props", "links", "remarks"}},
	"relevant-evidence":    {[]string{"description"}, []string{"href", "props", "links", "remarks"}},
	"risks":                {[]string{"uuid", "title", "description", "statement", "status"}, []string{"props", "links", "origins", "threat-ids", "characterizations", "mitigating-factors", "deadline", "remediations", "risk-log", "related-observations"}},
	"related-observations": {[]string{"observation-uuid"}, nil},
	"related-risks":        {[]string{"risk-uuid"}, nil},
	"findings":             {[]string{"uuid", "title", "description", "target"}, []string{"props", "links", "origins", "implementation-statement-uuid", "related-observations", "related-risks", "remarks"}},
	"target":               {[]string{"type", "target-id", "status"}, []string{"title", "description", "props", "links", "implementation-status", "remarks"}},
	"status":               {[]string{"state"}, []string{"reason", "remarks"}},
	"back-matter":          {nil, []string{"resources"}},
	"resources":            {[]string{"uuid"}, []string{"title", "description", "props", "document-ids", "citation", "rlinks", "base64", "remarks"}},
	"base64":               {[]string{"value"}, []string{"filename", "media-type"}},
}

// texts checks the values of members by name.
var texts = map[string]func(string) bool{
	"uuid": oscalUUID.MatchString, "subject-uuid": oscalUUID.MatchString, "observation-uuid": oscalUUID.MatchString, "risk-uuid": oscalUUID.MatchString,
	"control-id": oscalToken.MatchString, "target-id": oscalToken.MatchString, "name": oscalToken.MatchString, "filename": oscalToken.MatchString,
	"value": oscalString.MatchString, "version": oscalString.MatchString, "ns": oscalURI.MatchString, "href": oscalRef.MatchString,
	"last-modified": oscalStamp.MatchString, "start": oscalStamp.MatchString, "end": oscalStamp.MatchString, "collected": oscalStamp.MatchString,
	"title": notEmpty, "description": notEmpty, "statement": notEmpty, "remarks": func(string) bool { return true },
	"oscal-version": func(text string) bool { return strings.HasPrefix(text, "1.1.") },
	"methods":       oneOf("EXAMINE", "INTERVIEW", "TEST", "UNKNOWN"), "types": oneOf("ssp-statement-issue", "control-objective", "mitigation", "finding", "historic"),
	"state": oneOf("satisfied", "not-satisfied"), "reason": oneOf("pass", "fail", "other"), "media-type": oneOf("application/json"),
	"type":   oneOf("objective-id", "inventory-item"),
	"status": oneOf("open", "investigating", "remediating", "deviation-requested", "deviation-approved", "closed"),
}

func notEmpty(text string) bool { return strings.TrimSpace(text) != "" }

func oneOf(values ...string) func(string) bool {
	return func(text string) bool { return slices.Contains(values, text) }
}

// checkOSCAL holds a document against the structure of the assessment results
// model, and every reference against what it refers to.
func checkOSCAL(t *testing.T, content []byte) {
	t.Helper()
	var document any
	if err := json.Unmarshal(content, &document); err != nil {
		t.Fatal(err)
	}
	c := &oscalCheck{T: t, defined: map[string]bool{}}
	c.value("", document)
	for _, reference := range c.references {
		if !c.defined[reference] {
			t.Errorf("nothing has the UUID %s that is referred to", reference)
		}
	}
}

type oscalCheck struct {
	*testing.T
	defined    map[string]bool
	references []string
}

func (c *oscalCheck) value(name string, value any) {
	switch value := value.(type) {
	case map[string]any:
		c.object(name, value)
	case []any:
		if len(value) == 0 {
			c.Errorf("%s is an empty list", name)
		}
		for _, item := range value {
			c.value(name, item)
		}
	case string:
		c.text(name, value)
	default:
		c.Errorf("%s is %v", name, value)
	}
}

func (c *oscalCheck) object(name string, object map[string]any) {
	form, known := shapes[name]
	if !known {
		c.Errorf("the model has no object %q here", name)
	}
	for _, member := range form.required {
		if _, found := object[member]; !found {
			c.Errorf("%s has no %s", name, member)
		}
	}
	for member, value := range object {
		if !slices.Contains(form.required, member) && !slices.Contains(form.optional, member) {
			c.Errorf("%s must not have %s", name, member)
		}
		if name == "base64" && member == "value" {
			if _, err := base64.StdEncoding.DecodeString(value.(string)); err != nil { //nolint:errcheck,forcetypeassert // a test
				c.Error(err)
			}
			continue
		}
		c.value(member, value)
	}
}

func (c *oscalCheck) text(name, text string) {
	check, known := texts[name]
	if !known || !check(text) {
		c.Errorf("%s: %q", name, text)
	}
	switch {
	case name == "uuid" && c.defined[text]:
		c.Errorf("two things have the UUID %s", text)
	case name == "uuid":
		c.defined[text] = true
	case strings.HasSuffix(name, "-uuid"):
		c.references = append(c.references, text)
	case name == "href":
		c.references = append(c.references, strings.TrimPrefix(text, "#"))
	}
}

func TestAssessmentResults(t *testing.T) {
	content := render(t, readPack(t), report.FormatOSCAL)
	checkOSCAL(t, content)
	var document struct {
		Results struct {
			Results []struct {
				Observations []json.RawMessage
				Risks        []struct{ Status string }
				Findings     []struct {
					Target struct {
						ID     string `json:"target-id"`
						Status struct{ State, Reason string }
					}
				}
			}
		} `json:"assessment-results"`
	}
	if err := json.Unmarshal(content, &document); err != nil {
		t.Fatal(err)
	}
	result := document.Results.Results[0]
	if len(result.Observations) != 4 || len(result.Findings) != 2 || len(result.Risks) != 2 {
		t.Fatalf("%d observations, %d findings, %d risks", len(result.Observations), len(result.Findings), len(result.Risks))
	}
	for i, want := range []string{"eu-health.stays", "meridian.no-rule"} {
		if target := result.Findings[i].Target; target.ID != want || target.Status.State != "not-satisfied" || target.Status.Reason != "fail" {
			t.Errorf("finding %d is %+v", i, target)
		}
	}
}

// TestApprovedDeviation has all denials of a rule suspended by an exception.
func TestApprovedDeviation(t *testing.T) {
	s := hospital(t)
	s.body.Audit.Places = s.body.Audit.Places[2:3]
	s.body.Audit.Violations = 0
	content := sealed(t, s)
	rendered := render(t, content, report.FormatOSCAL)
	checkOSCAL(t, rendered)
	for _, want := range []string{`"deviation-approved"`, `"not-satisfied"`, "Approved exceptions suspend it: moving-house"} {
		if !strings.Contains(string(rendered), want) {
			t.Errorf("no %s", want)
		}
	}
	if page := readable(t, render(t, content, report.FormatHTML)); !strings.Contains(page, "In order, with exceptions.") {
		t.Error("the page does not say that it is in order by exceptions")
	}
}
