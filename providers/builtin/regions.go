package builtin

import (
	"fmt"
	"sync"

	"github.com/meridian-fleet/meridian/providers"
	aws "github.com/meridian-fleet/meridian/providers/aws/regions"
	azure "github.com/meridian-fleet/meridian/providers/azure/regions"
	gcp "github.com/meridian-fleet/meridian/providers/gcp/regions"
	"github.com/meridian-fleet/meridian/providers/internal/catalog"
)

// catalogs are read once; callers get copies.
var catalogs = sync.OnceValues(func() (map[string]*catalog.Catalog, error) {
	read := map[string]*catalog.Catalog{}
	for provider, document := range map[string][]byte{"aws": aws.Document, "azure": azure.Document, "gcp": gcp.Document} {
		loaded, err := catalog.Load(document)
		if err != nil {
			return nil, fmt.Errorf("provider %s: %w", provider, err)
		}
		read[provider] = loaded
	}
	return read, nil
})

// Regions returns each provider's regions, ordered by id, by the provider's
// name.
func Regions() (map[string][]providers.Region, error) {
	read, err := catalogs()
	if err != nil {
		return nil, err
	}
	regions := map[string][]providers.Region{}
	for provider, catalog := range read {
		regions[provider] = catalog.Regions()
	}
	return regions, nil
}
