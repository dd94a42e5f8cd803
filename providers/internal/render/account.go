package render

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/meridian-fleet/meridian/providers"
)

// CheckAccount reports settings a provider does not know and those it cannot do
// without. A misspelt one would otherwise be ignored in silence.
func CheckAccount(account map[string]string, known, required []string, faults *providers.Faults) {
	for _, key := range slices.Sorted(maps.Keys(account)) {
		if !slices.Contains(known, key) {
			faults.Add("account."+key, "is no setting of this provider; it knows %s", strings.Join(known, ", "))
		}
	}
	for _, key := range required {
		if account[key] == "" {
			faults.Add("account."+key, "must be set")
		}
	}
}

// Check runs a request's own checks and a provider's, and reports the faults of
// both at once.
func Check(request providers.ClusterRequest, check func(*providers.Faults)) error {
	var faults providers.Faults
	var withFaults *providers.Error
	if errors.As(request.Validate(), &withFaults) {
		faults = withFaults.Faults
	}
	check(&faults)
	return faults.Err("cluster request for %s", request.Name)
}
