package server

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	fleetv1 "github.com/meridian-fleet/meridian/api/fleet/v1"
	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/manifest"
)

// maxQuestions bounds one call: every facet of a few hundred subjects at every
// region would be a report, not a question.
const maxQuestions = 20_000

// decodeStruct reads a value from the shape its JSON has, as strictly as
// documents are read. Fields of faults begin with the name of the argument.
func decodeStruct[T any](argument string, from *structpb.Struct) (T, error) {
	var value T
	if from == nil {
		return value, fleet.Errorf(fleet.ErrInvalid, "is missing").At(fleet.Position{}, argument)
	}
	raw, err := from.MarshalJSON()
	if err != nil {
		return value, fleet.Errorf(fleet.ErrInvalid, "not a JSON object: %w", err).At(fleet.Position{}, argument)
	}
	value, _, err = manifest.DecodeStrict[T](argument, raw)
	return value, within(argument, err)
}

// within moves faults into a field, and takes away positions in text that
// nobody wrote.
func within(field string, err error) error {
	if err == nil {
		return nil
	}
	var all []error
	for _, one := range flatten(err) {
		var fault *fleet.Error
		if errors.As(one, &fault) {
			fault.Position, fault.Field = fleet.Position{}, strings.TrimSuffix(field+"."+fault.Field, ".")
		}
		all = append(all, one)
	}
	return errors.Join(all...)
}

func decodeMoment(from *fleetv1.Moment) (fleet.Moment, error) {
	var moment fleet.Moment
	var faults []error
	for _, part := range []struct {
		field string
		from  *timestamppb.Timestamp
		to    *time.Time
	}{{"moment.as_of", from.GetAsOf(), &moment.AsOf}, {"moment.known_at", from.GetKnownAt(), &moment.KnownAt}} {
		if part.from == nil {
			continue
		}
		if err := part.from.CheckValid(); err != nil {
			faults = append(faults, fleet.Errorf(fleet.ErrInvalid, "no valid time: %w", err).At(fleet.Position{}, part.field))
			continue
		}
		*part.to = part.from.AsTime()
	}
	return moment, errors.Join(faults...)
}

// decodeQuestion reads a question. Whether what it names exists is for the
// verdict to say; that it is a question is checked here.
func decodeQuestion(argument string, from *structpb.Struct) (fleet.Question, error) {
	question, err := decodeStruct[fleet.Question](argument, from)
	if err != nil {
		return question, err
	}
	c := &argumentChecker{argument: argument}
	c.subject(question)
	if question.Facet != "" {
		c.oneOf("facet", string(question.Facet), names(fleet.Facets))
	}
	if question.Source != "" {
		c.oneOf("source", string(question.Source), names(fleet.FactSources))
	}
	for field, region := range map[string]string{"region": question.Region, "pair": question.Pair} {
		if region != "" {
			c.region(field, region)
		}
	}
	for i, region := range question.Leaving {
		c.region(fmt.Sprintf("leaving[%d]", i), region)
	}
	if question.Pair != "" && !question.GeoRedundant {
		c.fault("pair", "only a geo-redundant store has one").Advise("set geoRedundant")
	}
	if !question.At.IsZero() {
		c.fault("at", "is said by the moment of the call")
	}
	if question.KnownAt != nil {
		c.fault("knownAt", "is said by the moment of the call")
	}
	return question, errors.Join(c.faults...)
}

// argumentChecker gathers what is wrong with an argument of a call.
type argumentChecker struct {
	argument string
	faults   []error
}

func (c *argumentChecker) fault(field, format string, arguments ...any) *fleet.Error {
	if field != "" && c.argument != "" {
		field = c.argument + "." + field
	} else {
		field += c.argument
	}
	fault := fleet.Errorf(fleet.ErrInvalid, format, arguments...).At(fleet.Position{}, field)
	c.faults = append(c.faults, fault)
	return fault
}

func (c *argumentChecker) subject(question fleet.Question) {
	named := question.Subject != (fleet.Ref{})
	switch {
	case named && len(question.Classes) > 0:
		c.fault("subject", "name a subject or classes, not both")
	case named:
		c.ref("subject", question.Subject)
	case len(question.Classes) == 0:
		c.fault("subject", "is missing").Advise("name a Dataset or a Workload, or give classes")
	case slices.Contains(question.Classes, ""):
		c.fault("classes", "a class has a name")
	}
}

// ref checks that a Dataset or a Workload is named.
func (c *argumentChecker) ref(field string, ref fleet.Ref) {
	if ref.Kind != fleet.KindDataset && ref.Kind != fleet.KindWorkload {
		c.fault(field+".kind", "want Dataset or Workload, got %q", ref.Kind)
	}
	if ref.Name == "" {
		c.fault(field+".name", "is missing")
	}
}

func (c *argumentChecker) region(field, name string) {
	if _, _, ok := fleet.SplitRegion(name); !ok {
		c.fault(field, "%q is not a region", name).Advise("want PROVIDER/ID, such as aws/eu-central-1, or country/XX")
	}
}

func (c *argumentChecker) oneOf(field, value string, known []string) {
	if slices.Contains(known, value) {
		return
	}
	fault := c.fault(field, "%q is not known", value)
	if near := manifest.Nearest(value, known); near != "" {
		fault.Advise("did you mean %q?", near)
	} else {
		fault.Advise("known are %s", strings.Join(known, ", "))
	}
}

func names[T ~string](values []T) []string {
	all := make([]string, 0, len(values))
	for _, value := range values {
		all = append(all, string(value))
	}
	return all
}

// matrix asks every question over facets and regions, unless it names one.
func matrix(questions []fleet.Question, facets []fleet.Facet, regions []string) ([]fleet.Question, error) {
	var all []fleet.Question
	for _, question := range questions {
		for _, facet := range overFacets(question, facets) {
			for _, region := range overRegions(question, regions) {
				asked := question
				asked.Facet, asked.Region = facet, region
				all = append(all, asked)
			}
		}
		if len(all) > maxQuestions {
			return nil, fleet.Errorf(fleet.ErrInvalid, "more than %d questions in one call", maxQuestions).
				At(fleet.Position{}, "questions").Advise("ask about fewer facets or regions at a time")
		}
	}
	return all, nil
}

// overFacets: of a workload no facet means all that it does, taken together.
func overFacets(question fleet.Question, facets []fleet.Facet) []fleet.Facet {
	switch {
	case question.Facet != "":
		return []fleet.Facet{question.Facet}
	case len(facets) > 0:
		return facets
	case question.Subject.Kind == fleet.KindWorkload:
		return []fleet.Facet{""}
	}
	return fleet.Facets
}

func overRegions(question fleet.Question, regions []string) []string {
	if question.Region != "" {
		return []string{question.Region}
	}
	return regions
}
