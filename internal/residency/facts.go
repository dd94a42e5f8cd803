package residency

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// Where a reference of a catalog's fact points to.
const fromCatalog = "the region catalog"

// knownFact is a fact that is known at an instant.
type knownFact struct {
	value     ref.Val
	native    any    // the same in Go
	text      string // for people
	exact     string // differs where the value does
	source    fleet.FactSource
	reference string
}

func newKnownFact(value any, source fleet.FactSource, reference string) knownFact {
	return knownFact{
		value: types.DefaultTypeAdapter.NativeToValue(value), native: value, text: plainValue(value), exact: fmt.Sprintf("%#v", value),
		source: source, reference: reference,
	}
}

// used is the fact as verdicts show it, unknown when it is known less well
// than the minimum.
func (f knownFact) used(name string, minimum fleet.FactSource) fleet.UsedFact {
	if f.source == "" || !f.source.AtLeast(minimum) {
		return fleet.UsedFact{Name: name}
	}
	return fleet.UsedFact{Name: name, Value: f.text, Source: f.source, Reference: f.reference}
}

// countryFacts are the facts whose values are ISO 3166-1 countries.
var countryFacts = []string{"collectedIn", "citizens", "controllerCountry", "supportedFrom"}

// definitionOf finds a documented fact by its name.
func definitionOf(definitions []fleet.FactDefinition, name string) (fleet.FactDefinition, bool) {
	for _, definition := range definitions {
		if definition.Name == name {
			return definition, true
		}
	}
	return fleet.FactDefinition{}, false
}

// definitionNames lists the names of documented facts.
func definitionNames(definitions []fleet.FactDefinition) []string {
	names := make([]string, len(definitions))
	for i, definition := range definitions {
		names[i] = definition.Name
	}
	return names
}

// factValue decodes a fact's value into what its definition says it is.
func factValue(definition fleet.FactDefinition, raw json.RawMessage) (any, error) {
	decode := func(into any) error {
		if len(raw) == 0 || string(raw) == "null" {
			return fleet.Errorf(fleet.ErrInvalid, "is missing").Advise("leave the fact out when it is not known")
		}
		if json.Unmarshal(raw, into) != nil {
			return fleet.Errorf(fleet.ErrInvalid, "%s is no %s", raw, definition.Type)
		}
		return nil
	}
	switch definition.Type {
	case fleet.FactNumber:
		var number float64
		if err := decode(&number); err != nil {
			return nil, err
		}
		if number != math.Trunc(number) || math.Abs(number) > 1<<53 {
			return nil, fleet.Errorf(fleet.ErrInvalid, "%s is no whole number", raw)
		}
		return int64(number), nil
	case fleet.FactTruth:
		var truth bool
		err := decode(&truth)
		return truth, err
	case fleet.FactTexts:
		texts := []string{}
		err := decode(&texts)
		return texts, err
	}
	var text string
	err := decode(&text)
	return text, err
}

// plainValue shows a fact's value to people.
func plainValue(value any) string {
	switch value := value.(type) {
	case string:
		return value
	case int64:
		return strconv.FormatInt(value, 10)
	case bool:
		return strconv.FormatBool(value)
	case []string:
		if len(value) == 0 {
			return "none"
		}
		return strings.Join(value, ", ")
	}
	return fmt.Sprint(value)
}

// sourceOf is a fact's source with its default.
func sourceOf(source fleet.FactSource) fleet.FactSource {
	if source == "" {
		return fleet.SourceDeclared
	}
	return source
}

// knownAt adds the facts of a document that are known at an instant, by prefix
// and name; all, or those wanted. A fact that is not documented or cannot be
// read is not known.
func knownAt(known map[string]knownFact, facts map[string]fleet.DataFact, definitions []fleet.FactDefinition, prefix string, at time.Time, wanted map[string]bool) {
	for name, fact := range facts {
		definition, ok := definitionOf(definitions, name)
		if !ok || wanted != nil && !wanted[prefix+name] {
			continue
		}
		value, err := factValue(definition, fact.Value)
		if err != nil || len(checkFactValue(definition, value)) > 0 {
			continue
		}
		if covered, err := Covers(fleet.Period{From: fact.From, Until: fact.Until}, time.UTC, at); err != nil || !covered {
			continue
		}
		known[prefix+name] = newKnownFact(value, sourceOf(fact.Source), fact.Reference)
	}
}

// checkFactValue says what is wrong with a decoded value.
func checkFactValue(definition fleet.FactDefinition, value any) []string {
	var texts []string
	switch value := value.(type) {
	case string:
		texts = []string{value}
	case []string:
		texts = value
	}
	var faults []string
	for _, text := range texts {
		if definition.Values != nil && !slices.Contains(definition.Values, text) {
			faults = append(faults, fmt.Sprintf("%q is no value of %s", text, definition.Name))
		}
		if slices.Contains(countryFacts, definition.Name) && countryCodes[text] == nil {
			faults = append(faults, fmt.Sprintf("%q is no ISO 3166-1 country", text))
		}
	}
	return faults
}

// catalogFacts are a place's facts from the catalog, with its Region
// document's, by their names in conditions.
func catalogFacts(place fleet.RegionFacts, at time.Time) map[string]knownFact {
	known := make(map[string]knownFact, len(fleet.CatalogFacts)+len(place.Facts))
	knownAt(known, place.Facts, fleet.RegionFactNames, "region.", at, nil)
	texts := map[string]string{
		"name": place.Name(), "provider": place.Provider, "country": place.Country,
		"city": place.City, "partition": place.Partition, "operator": place.Operator,
	}
	for name, text := range texts {
		if text != "" {
			known["region."+name] = newKnownFact(text, fleet.SourceAttested, fromCatalog)
		}
	}
	if len(place.Jurisdictions) > 0 {
		known["region.jurisdictions"] = newKnownFact(place.Jurisdictions, fleet.SourceAttested, fromCatalog)
	}
	return known
}
