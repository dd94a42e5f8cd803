package plugin

import (
	"context"

	"github.com/meridian-fleet/meridian/providers"
	providerv1 "github.com/meridian-fleet/meridian/providers/proto/v1"
)

// remote is a provider at the other end of a connection.
type remote struct {
	client providerv1.ProviderClient
}

var _ providers.Provider = (*remote)(nil)

// Describe implements providers.Provider.
func (r *remote) Describe(ctx context.Context) (providers.Description, error) {
	response, err := r.client.Describe(ctx, &providerv1.DescribeRequest{})
	if err != nil {
		return providers.Description{}, fromStatus(ctx, err)
	}
	return descriptionFromWire(response), nil
}

// ClusterObjects implements providers.Provider.
func (r *remote) ClusterObjects(ctx context.Context, request providers.ClusterRequest) (providers.ClusterObjects, error) {
	response, err := r.client.ClusterObjects(ctx, requestToWire(request))
	if err != nil {
		return providers.ClusterObjects{}, fromStatus(ctx, err)
	}
	return objectsFromWire(response)
}
