package residency

import (
	"fmt"
	"slices"
	"strings"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// operatorFaults say what a rule about operators holds against a place, in
// clauses for people; none: it is satisfied. What is not known is not so.
func (c *Compiled) operatorFaults(rule *rule, id PlaceID) []string {
	place, spec := &c.catalog.places[id], rule.spec.Operator
	var faults []string
	fault := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	if len(spec.NotControlledFrom)+len(spec.OnlyControlledFrom) > 0 && len(place.Jurisdictions) == 0 {
		fault("it is not known whose law reaches its operator")
	}
	for _, country := range place.Jurisdictions {
		if c.groups.includes(spec.NotControlledFrom, country, true) {
			fault("the law of %s reaches its operator", named(country))
		} else if len(spec.OnlyControlledFrom) > 0 && !c.groups.includes(spec.OnlyControlledFrom, country, false) {
			fault("the law of %s reaches its operator, which is not in %s", named(country), strings.Join(spec.OnlyControlledFrom, ", "))
		}
	}
	if len(spec.SupportedFrom) > 0 {
		faults = append(faults, c.supportFaults(rule, id)...)
	}
	faults = append(faults, nameFaults("partition", place.Partition, spec.Partitions, spec.NotPartitions)...)
	faults = append(faults, nameFaults("operator", place.Operator, spec.Operators, nil)...)
	if len(spec.Certifications) > 0 {
		faults = append(faults, c.certificationFaults(rule, id)...)
	}
	return faults
}

// nameFaults compare one name of a place with those a rule wants and refuses.
func nameFaults(what, name string, wanted, refused []string) []string {
	switch {
	case len(wanted)+len(refused) == 0:
		return nil
	case name == "":
		return []string{"its " + what + " is not known"}
	case len(wanted) > 0 && !slices.Contains(wanted, name):
		return []string{fmt.Sprintf("its %s is %s, not %s", what, name, strings.Join(wanted, " or "))}
	case slices.Contains(refused, name):
		return []string{fmt.Sprintf("its %s is %s", what, name)}
	}
	return nil
}

// regionTexts is a fact of a Region document that is a list, when it is known
// well enough for a rule.
func (c *Compiled) regionTexts(rule *rule, id PlaceID, name string) ([]string, bool) {
	known, ok := c.regionFacts[id]()["region."+name]
	if !ok || !known.source.AtLeast(rule.spec.MinimumSource) {
		return nil, false
	}
	list, ok := known.value.Value().([]string)
	return list, ok
}

func (c *Compiled) supportFaults(rule *rule, id PlaceID) []string {
	countries, known := c.regionTexts(rule, id, "supportedFrom")
	if !known {
		return []string{"it is not known" + wellEnough(rule) + " from which countries it is supported"}
	}
	var faults []string
	for _, country := range countries {
		if !c.groups.includes(rule.spec.Operator.SupportedFrom, country, false) {
			faults = append(faults, "it is supported from "+named(country))
		}
	}
	return faults
}

func (c *Compiled) certificationFaults(rule *rule, id PlaceID) []string {
	has, known := c.regionTexts(rule, id, "certifications")
	var faults []string
	for _, wanted := range rule.spec.Operator.Certifications {
		switch {
		case !known:
			faults = append(faults, "it is not known"+wellEnough(rule)+" to have the certification "+wanted)
		case !slices.Contains(has, wanted):
			faults = append(faults, "it does not have the certification "+wanted)
		}
	}
	return faults
}

// wellEnough says how well a rule wants its facts to be known.
func wellEnough(rule *rule) string {
	switch rule.spec.MinimumSource {
	case fleet.SourceObserved:
		return " from the cloud itself"
	case fleet.SourceAttested:
		return ", with an attestation,"
	}
	return ""
}

// named is a country's name with its code.
func named(code string) string {
	if name, ok := Country(code); ok {
		return name
	}
	return code
}
