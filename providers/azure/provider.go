package azure

import (
	"context"

	"github.com/meridian-fleet/meridian/providers"
	"github.com/meridian-fleet/meridian/providers/azure/regions"
	"github.com/meridian-fleet/meridian/providers/internal/catalog"
	"github.com/meridian-fleet/meridian/providers/internal/render"
)

// Name and Version of the provider.
const (
	Name    = "azure"
	Version = "1.0.0"
)

// Provider implements providers.Provider.
type Provider struct {
	catalog *catalog.Catalog
}

var _ providers.Provider = (*Provider)(nil)

// New returns the provider.
func New() (*Provider, error) {
	loaded, err := catalog.Load(regions.Document)
	if err != nil {
		return nil, err
	}
	return &Provider{catalog: loaded}, nil
}

// Describe implements providers.Provider.
func (p *Provider) Describe(ctx context.Context) (providers.Description, error) {
	if err := ctx.Err(); err != nil {
		return providers.Description{}, err
	}
	return providers.Description{
		Name: Name, Version: Version,
		Capabilities: []providers.Capability{providers.CapabilityClusters},
		Regions:      p.catalog.Regions(),
	}, nil
}

// ClusterObjects implements providers.Provider.
func (p *Provider) ClusterObjects(ctx context.Context, request providers.ClusterRequest) (providers.ClusterObjects, error) {
	if err := ctx.Err(); err != nil {
		return providers.ClusterObjects{}, err
	}
	if err := check(request); err != nil {
		return providers.ClusterObjects{}, err
	}
	if _, err := p.catalog.Region(request.Region); err != nil {
		return providers.ClusterObjects{}, err
	}
	objects := []render.Fields{managedCluster(request), controlPlane(request), cluster(request)}
	system := systemPool(request.NodePools)
	for i, pool := range request.NodePools {
		mode := modeUser
		if i == system {
			mode = modeSystem
		}
		objects = append(objects, managedPool(request, pool, mode, p.catalog.Zones(request.Region)), render.MachinePool(request, pool, poolRef(request, pool)))
	}
	return render.Encode(objects...)
}
