package question

import (
	"context"
	"reflect"
	"slices"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/timestamppb"

	fleetv1 "github.com/meridian-fleet/meridian/api/fleet/v1"
	"github.com/meridian-fleet/meridian/api/fleet/v1/fleetv1connect"
	"github.com/meridian-fleet/meridian/internal/cli/output"
	"github.com/meridian-fleet/meridian/internal/fleet"
)

// TrueAt lists what was true at an instant, as it was known at another; without
// an instant what was recorded last.
func TrueAt(ctx context.Context, client fleetv1connect.FleetServiceClient, kind fleet.Kind, known, at *timestamppb.Timestamp) ([]fleet.Resource, error) {
	response, err := client.List(ctx, connect.NewRequest(&fleetv1.ListRequest{Kind: string(kind), AsOf: known, TrueAt: at}))
	if err != nil {
		return nil, err
	}
	return output.Resources(response.Msg.GetDocuments())
}

// Policies lists those that are law at an instant, as it was known at another,
// and apart from them the versions that were recorded last and are still to
// begin.
func Policies(ctx context.Context, client fleetv1connect.FleetServiceClient, known, at *timestamppb.Timestamp) (law, upcoming []fleet.Resource, err error) {
	if law, err = TrueAt(ctx, client, fleet.KindResidencyPolicy, known, at); err != nil {
		return nil, nil, err
	}
	recorded, err := TrueAt(ctx, client, fleet.KindResidencyPolicy, known, nil)
	if err != nil {
		return nil, nil, err
	}
	return law, slices.DeleteFunc(recorded, func(policy fleet.Resource) bool {
		return slices.ContainsFunc(law, func(other fleet.Resource) bool { return reflect.DeepEqual(other, policy) })
	}), nil
}
