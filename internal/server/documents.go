package server

import (
	"encoding/json"
	"slices"
	"strings"

	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	fleetv1 "github.com/meridian-fleet/meridian/api/fleet/v1"
	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/inventory"
)

// document gives a value the shape its JSON has.
func document(value any) (*structpb.Struct, error) {
	raw, err := json.Marshal(value)
	if err != nil {
		return nil, fleet.Errorf(fleet.ErrInternal, "encode a document: %w", err)
	}
	result := &structpb.Struct{}
	if err := result.UnmarshalJSON(raw); err != nil {
		return nil, fleet.Errorf(fleet.ErrInternal, "encode a document: %w", err)
	}
	return result, nil
}

func documents[T any](values []T) ([]*structpb.Struct, error) {
	all := make([]*structpb.Struct, 0, len(values))
	for _, value := range values {
		one, err := document(value)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, nil
}

func changeMessage(change fleet.Change) (*fleetv1.Change, error) {
	message := &fleetv1.Change{
		Revision: change.Revision,
		At:       timestamppb.New(change.At),
		Actor:    change.Actor,
		Action:   change.Action,
		Kind:     string(change.Ref.Kind),
		Name:     change.Ref.Name,
	}
	var err error
	if change.Before != nil {
		if message.Before, err = document(change.Before); err != nil {
			return nil, err
		}
	}
	if change.After != nil {
		message.After, err = document(change.After)
	}
	return message, err
}

// knownKind checks a kind that a caller named.
func knownKind(name string) (fleet.Kind, error) {
	if slices.Contains(fleet.Kinds, fleet.Kind(name)) {
		return fleet.Kind(name), nil
	}
	names := make([]string, 0, len(fleet.Kinds))
	for _, kind := range fleet.Kinds {
		names = append(names, string(kind))
	}
	return "", fleet.Errorf(fleet.ErrInvalid, "no such kind: %q", name).
		At(fleet.Position{}, "kind").Advise("the kinds are %s", strings.Join(names, ", "))
}

func knownRef(kindName, name string) (fleet.Ref, error) {
	kind, err := knownKind(kindName)
	if err != nil {
		return fleet.Ref{}, err
	}
	if name == "" {
		return fleet.Ref{}, fleet.Errorf(fleet.ErrInvalid, "a name is needed").At(fleet.Position{}, "name")
	}
	return fleet.Ref{Kind: kind, Name: name}, nil
}

func asOf(at *timestamppb.Timestamp) (inventory.AsOf, error) {
	if at == nil {
		return inventory.AsOf{}, nil
	}
	if err := at.CheckValid(); err != nil {
		return inventory.AsOf{}, fleet.Errorf(fleet.ErrInvalid, "no valid time: %w", err).At(fleet.Position{}, "as_of")
	}
	return inventory.AsOf(at.AsTime()), nil
}
