package casefile

import (
	"fmt"
	"slices"
	"strings"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/manifest"
	"github.com/meridian-fleet/meridian/internal/residency"
)

// ruleField names a rule of a policy's document.
func ruleField(index int) string { return manifest.Element("spec.rules", index) }

// checkForm checks what stands beside the cases.
func checkForm(f *faults, content form) {
	if content.APIVersion != "" && content.APIVersion != fleet.APIVersion {
		f.note("apiVersion", "unknown version %q, want %s", content.APIVersion, fleet.APIVersion)
	}
	if len(content.Cases) == 0 {
		f.note("cases", "there are no cases")
	}
	checkInstant(f, "at", content.At, false)
	for i, region := range content.Catalog {
		checkCatalogRegion(f, manifest.Element("catalog", i), region)
	}
	first := map[string]int{}
	for i, written := range content.Cases {
		field := manifest.Element("cases", i) + ".name"
		earlier, twice := first[written.Name]
		switch {
		case strings.TrimSpace(written.Name) == "":
			f.note(field, "is missing").Advise("the situation in plain words")
		case twice:
			f.note(field, "the name is that of %s already", manifest.Element("cases", earlier))
		}
		first[written.Name] = i
	}
}

func checkCatalogRegion(f *faults, field string, region regionForm) {
	checkRegionName(f, field, region.Provider+"/"+region.ID, true)
	if region.Provider == "country" {
		f.note(field+".provider", "countries are places already").Advise("want a cloud's region")
	}
	if region.Country != nil {
		checkCountry(f, field+".country", *region.Country)
	}
	for i, code := range region.Jurisdictions {
		checkCountry(f, manifest.Element(field+".jurisdictions", i), code)
	}
	for _, problem := range residency.ValidateRegionFacts(region.Facts) {
		f.note(field+"."+strings.TrimPrefix(problem.Field, "spec."), "%s", problem.Message).Hint = problem.Hint
	}
}

func checkCountry(f *faults, field, code string) {
	if _, known := residency.Country(code); !known {
		f.note(field, "%q is no country", code).Advise("want an ISO 3166-1 code such as DE")
	}
}

// checkRegionName checks the form only: a place no catalog has is a situation
// like any other.
func checkRegionName(f *faults, field, name string, needed bool) {
	if name == "" && !needed {
		return
	}
	provider, id, ok := fleet.SplitRegion(name)
	if !ok || strings.TrimSpace(provider) != provider || strings.TrimSpace(id) != id {
		f.note(field, "%q is no region", name).Advise("want PROVIDER/ID such as aws/eu-central-1, or country/XX")
	}
}

// checkCase checks one case and resolves what it leaves to its file.
func checkCase(f *faults, documents records, at string, index int, written caseForm) situation {
	field := manifest.Element("cases", index)
	f.object = ""
	if written.Name != "" {
		f.object = fmt.Sprintf("case %q", written.Name)
	}
	checked := situation{caseForm: written, position: f.index.Position(field)}
	if written.At == "" {
		written.At = at
	}
	if written.At == "" {
		f.note(field+".at", "is missing").Advise("a date or an instant, here or for all cases of the file")
	} else if at, err := residency.ParseInstant(written.At); err == nil {
		checked.at = at
	} else if checked.At != "" {
		checkInstant(f, field+".at", written.At, true)
	}
	checkPlaces(f, field, &checked)
	checkSubject(f, documents, field, checked)
	checkAdditions(f, field, written)
	for i, exception := range written.Exceptions {
		checkException(f, documents, manifest.Element(field+".exceptions", i), exception)
	}
	checkExpectation(f, documents, field+".expect", written.Expect)
	f.object = ""
	return checked
}

// checkPlaces checks what is done where, and makes lists of it.
func checkPlaces(f *faults, field string, checked *situation) {
	if checked.Facet != "" && checked.Facets != nil {
		f.note(field+".facets", "stands beside facet").Advise("write one of the two")
	}
	if checked.Region != "" && checked.Regions != nil {
		f.note(field+".regions", "stands beside region").Advise("write one of the two")
	}
	facets, regions := field+".facets", field+".regions"
	if checked.Facet != "" {
		checked.Facets = []fleet.Facet{checked.Facet}
		facets = field + ".facet"
		checkWord(f, facets, checked.Facet, fleet.Facets)
	} else {
		checkWords(f, facets, checked.Facets, fleet.Facets)
	}
	if checked.Region != "" {
		checked.Regions = []string{checked.Region}
		checkRegionName(f, field+".region", checked.Region, true)
	} else {
		checkRegionNames(f, regions, checked.Regions)
	}
	if len(checked.Facets) == 0 && checked.Subject.Workload == "" {
		f.note(facets, "is missing").Advise("what is done to the data: %s", list(fleet.Facets))
	} else if len(checked.Facets) == 0 {
		checked.Facets = []fleet.Facet{""}
	}
	if len(checked.Regions) == 0 {
		f.note(regions, "is missing").Advise("where: PROVIDER/ID such as aws/eu-central-1, or country/XX")
	}
	checkRegionName(f, field+".pair", checked.Pair, false)
	if checked.Pair != "" && !checked.GeoRedundant {
		f.note(field+".pair", "only geo-redundant stores have a pair").Advise("add geoRedundant: true, or leave the pair out")
	}
	checkRegionNames(f, field+".leaving", checked.Leaving)
	if checked.Source != "" {
		checkWord(f, field+".source", checked.Source, fleet.FactSources)
	}
}

func checkRegionNames(f *faults, field string, names []string) {
	for i, name := range names {
		checkRegionName(f, manifest.Element(field, i), name, true)
	}
}

// checkWord wants one of the words there are.
func checkWord[Word ~string](f *faults, field string, word Word, known []Word) {
	if slices.Contains(known, word) {
		return
	}
	names := make([]string, len(known))
	for i, name := range known {
		names[i] = string(name)
	}
	fault := f.note(field, "there is no %q", word)
	if near := manifest.Nearest(string(word), names); near != "" {
		fault.Advise("did you mean %q? Known are %s", near, list(known))
	} else {
		fault.Advise("known are %s", list(known))
	}
}

func checkWords[Word ~string](f *faults, field string, words, known []Word) {
	for i, word := range words {
		checkWord(f, manifest.Element(field, i), word, known)
	}
}

func list[Word ~string](words []Word) string {
	names := make([]string, len(words))
	for i, word := range words {
		names[i] = string(word)
	}
	return strings.Join(names, ", ")
}
