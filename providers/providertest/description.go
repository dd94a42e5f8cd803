package providertest

import (
	"fmt"
	"regexp"
	"slices"

	"github.com/Masterminds/semver/v3"
	"golang.org/x/text/language"

	"github.com/meridian-fleet/meridian/providers"
)

var (
	nameForm = regexp.MustCompile(`^[a-z][a-z0-9-]{0,30}$`)
	idForm   = regexp.MustCompile(`^[a-z][a-z0-9-]*$`)
)

// CheckDescription lists what is wrong with a provider's account of itself.
func CheckDescription(description providers.Description, oneWayPairs []string) []error {
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	if !nameForm.MatchString(description.Name) {
		fault("name %q is not of the form %s", description.Name, nameForm)
	}
	if _, err := semver.StrictNewVersion(description.Version); err != nil {
		fault("version %q: %w", description.Version, err)
	}
	if len(description.Regions) == 0 {
		fault("there are no regions")
	}
	seen := map[string]bool{}
	for _, region := range description.Regions {
		if seen[region.ID] {
			fault("region %s is listed twice", region.ID)
		}
		seen[region.ID] = true
		faults = append(faults, checkRegion(region)...)
		faults = append(faults, checkPair(description, region, slices.Contains(oneWayPairs, region.ID))...)
	}
	for _, id := range oneWayPairs {
		if !seen[id] {
			fault("region %s, said to have a one-way pair, is not listed", id)
		}
	}
	return faults
}

func checkRegion(region providers.Region) []error {
	var faults []error
	fault := func(format string, args ...any) {
		faults = append(faults, fmt.Errorf("region %s: "+format, append([]any{region.ID}, args...)...))
	}
	if !idForm.MatchString(region.ID) {
		fault("the id is not of the form %s", idForm)
	}
	for _, fact := range []struct{ name, value string }{
		{"display name", region.DisplayName}, {"city", region.City}, {"partition", region.Partition}, {"operator", region.Operator},
	} {
		if fact.value == "" {
			fault("the %s is missing", fact.name)
		}
	}
	if !isCountry(region.Country) {
		fault("%q is not an ISO 3166-1 alpha-2 country", region.Country)
	}
	if !slices.Contains(region.Jurisdictions, region.Country) {
		fault("the law of %s, where it stands, must be among its jurisdictions %v", region.Country, region.Jurisdictions)
	}
	for _, country := range region.Jurisdictions {
		if !isCountry(country) {
			fault("jurisdiction %q is not an ISO 3166-1 alpha-2 country", country)
		}
	}
	return faults
}

func checkPair(description providers.Description, region providers.Region, oneWay bool) []error {
	if region.ReplicaPair == "" {
		if oneWay {
			return []error{fmt.Errorf("region %s is said to have a one-way pair and has none", region.ID)}
		}
		return nil
	}
	pair, known := description.Region(region.ReplicaPair)
	switch mutual := pair.ReplicaPair == region.ID; {
	case !known:
		return []error{fmt.Errorf("region %s: its pair %s is not listed", region.ID, region.ReplicaPair)}
	case pair.ID == region.ID:
		return []error{fmt.Errorf("region %s is paired with itself", region.ID)}
	case pair.Partition != region.Partition:
		return []error{fmt.Errorf("region %s: its pair %s is in another partition", region.ID, pair.ID)}
	case !mutual && !oneWay:
		return []error{fmt.Errorf("region %s: its pair %s copies to %q; document it as one-way if that is so", region.ID, pair.ID, pair.ReplicaPair)}
	case mutual && oneWay:
		return []error{fmt.Errorf("region %s: its pair with %s is mutual, not one-way", region.ID, pair.ID)}
	}
	return nil
}

func isCountry(code string) bool {
	region, err := language.ParseRegion(code)
	return err == nil && len(code) == 2 && region.IsCountry() && region.Canonicalize().String() == code
}
