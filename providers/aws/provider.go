package aws

import (
	"context"

	"github.com/meridian-fleet/meridian/providers"
	"github.com/meridian-fleet/meridian/providers/aws/regions"
	"github.com/meridian-fleet/meridian/providers/internal/catalog"
	"github.com/meridian-fleet/meridian/providers/internal/render"
)

// Name and Version of the provider.
const (
	Name    = "aws"
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
	region, err := p.catalog.Region(request.Region)
	if err != nil {
		return providers.ClusterObjects{}, err
	}
	objects := []render.Fields{managedCluster(request), controlPlane(request, region), cluster(request)}
	for _, pool := range request.NodePools {
		objects = append(objects, managedPool(request, pool), render.MachinePool(request, pool, poolRef(request, pool)))
	}
	return render.Encode(objects...)
}
