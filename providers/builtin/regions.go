package builtin

import (
	"fmt"

	"github.com/meridian-fleet/meridian/providers"
	aws "github.com/meridian-fleet/meridian/providers/aws/regions"
	azure "github.com/meridian-fleet/meridian/providers/azure/regions"
	gcp "github.com/meridian-fleet/meridian/providers/gcp/regions"
	"github.com/meridian-fleet/meridian/providers/internal/catalog"
)

// Regions returns each provider's regions, ordered by id, by the provider's
// name.
func Regions() (map[string][]providers.Region, error) {
	regions := map[string][]providers.Region{}
	for provider, document := range map[string][]byte{"aws": aws.Document, "azure": azure.Document, "gcp": gcp.Document} {
		loaded, err := catalog.Load(document)
		if err != nil {
			return nil, fmt.Errorf("provider %s: %w", provider, err)
		}
		regions[provider] = loaded.Regions()
	}
	return regions, nil
}
