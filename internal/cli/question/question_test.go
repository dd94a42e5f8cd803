package question_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/meridian-fleet/meridian/internal/cli/question"
	"github.com/meridian-fleet/meridian/internal/fleet"
)

func TestParseSubject(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"dataset/crm": "dataset/crm", "Dataset/crm": "dataset/crm", "ds/crm": "dataset/crm", "datasets/crm": "dataset/crm",
		"workload/shop": "workload/shop", "wl/shop": "workload/shop",
		"class/personal.eu": "class/personal.eu", "dataclass/a,b": "class/a,b",
	} {
		got, err := question.ParseSubject(text)
		if err != nil || got.String() != want {
			t.Errorf("%q is %s, %v", text, got, err)
		}
		if again := question.SubjectOf(got.Ask(fleet.FacetStorage, "a/b")); again.String() != want {
			t.Errorf("%q is asked about as %s", text, again)
		}
	}
	for _, wrong := range []string{"", "crm", "dataset", "dataset/", "/crm", "region/aws/a", "class/a,", "nothing/crm"} {
		if got, err := question.ParseSubject(wrong); !errors.Is(err, fleet.ErrInvalid) {
			t.Errorf("%q is %s, %v", wrong, got, err)
		}
	}
}

func TestParseSubjectsTakesEachOnce(t *testing.T) {
	t.Parallel()
	got, err := question.ParseSubjects([]string{"dataset/a", "workload/a", "ds/a"})
	if err != nil || len(got) != 2 || got[0].String() != "dataset/a" || got[1].String() != "workload/a" {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := question.ParseSubjects([]string{"dataset/a", "a"}); err == nil {
		t.Error("no error")
	}
}

func TestParseFacets(t *testing.T) {
	t.Parallel()
	got, err := question.ParseFacets("--facet", []string{"key", "storage", "key"})
	if err != nil || !slices.Equal(got, []fleet.Facet{fleet.FacetStorage, fleet.FacetKey}) {
		t.Errorf("%v, %v", got, err)
	}
	if got, err := question.ParseFacets("--facet", []string{"Storage"}); !errors.Is(err, fleet.ErrInvalid) {
		t.Errorf("%v, %v", got, err)
	}
	if got, err := question.ParseFacets("--facet", nil); err != nil || len(got) != 0 {
		t.Errorf("%v, %v", got, err)
	}
}

func TestCheckRegions(t *testing.T) {
	t.Parallel()
	if err := question.CheckRegions("--region", []string{"aws/eu-central-1", "country/IN"}); err != nil {
		t.Error(err)
	}
	for _, wrong := range []string{"", "aws", "aws/", "/a", "a/b/c"} {
		if err := question.CheckRegions("--region", []string{wrong}); !errors.Is(err, fleet.ErrInvalid) {
			t.Errorf("%q: %v", wrong, err)
		}
	}
}

func TestMoment(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 4, 1, 12, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		question.Moment
		heading string
	}{
		{question.Moment{}, ""},
		{question.Moment{AsOf: "2026-03-03"}, "As of 2026-03-03 00:00:00Z:"},
		{question.Moment{KnownAt: "2026-03-03T12:00:00+02:00"}, "Now, with what was recorded by 2026-03-03 10:00:00Z:"},
		{question.Moment{AsOf: "2024-02-29", KnownAt: "1h"}, "As of 2024-02-29 00:00:00Z, with what was recorded by 2026-04-01 11:00:00Z:"},
	} {
		message, err := test.Message(now)
		if err != nil || question.Heading(message) != test.heading {
			t.Errorf("%+v: %q, %v", test.Moment, question.Heading(message), err)
		}
	}
	for _, wrong := range []question.Moment{{AsOf: "2026-02-29"}, {KnownAt: "later"}} {
		if _, err := wrong.Message(now); !errors.Is(err, fleet.ErrInvalid) {
			t.Errorf("%+v: %v", wrong, err)
		}
	}
}
