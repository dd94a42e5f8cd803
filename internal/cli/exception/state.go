package exception

import (
	"encoding/json"
	"fmt"
	"maps"
	"time"

	"google.golang.org/protobuf/types/known/structpb"

	"github.com/meridian-fleet/meridian/internal/cli/output"
	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/residency"
)

// recorded is an exception, read.
type recorded struct {
	name   string
	spec   fleet.ExceptionSpec
	status fleet.ExceptionStatus
}

func decode(document *structpb.Struct) (recorded, error) {
	resource, err := output.Resource(document)
	if err != nil {
		return recorded{}, err
	}
	read := recorded{name: resource.Metadata.Name}
	if read.spec, err = fleet.SpecOf[fleet.ExceptionSpec](resource); err != nil {
		return recorded{}, err
	}
	read.status, err = fleet.StatusOf[fleet.ExceptionStatus](resource)
	return read, err
}

// by is the exception as it was at an instant: without the approvals and the
// revocation that came later. What it was asked for stays, it says what it is
// about.
func (r recorded) by(at time.Time) (recorded, error) {
	var given []fleet.Approval
	for _, approval := range r.status.Approvals {
		had, err := reached(approval.At, at)
		if err != nil {
			return r, err
		}
		if had {
			given = append(given, approval)
		}
	}
	r.status.Approvals = given
	revoked, err := reached(r.status.RevokedAt, at)
	if revoked || err != nil || r.status.Phase == "" {
		return r, err
	}
	r.status.RevokedBy, r.status.RevokedAt, r.status.Message = "", "", ""
	r.status.Phase = fleet.ExceptionApproved
	if approved, err := reached(r.status.ApprovedAt, at); err != nil || !approved {
		r.status.Phase, r.status.ApprovedAt = fleet.ExceptionRequested, ""
		return r, err
	}
	return r, nil
}

// document is a recorded document with the status of the exception as it was.
func (r recorded) document(of *structpb.Struct) (*structpb.Struct, error) {
	raw, err := json.Marshal(r.status)
	if err != nil {
		return nil, err
	}
	status := &structpb.Struct{}
	if err := status.UnmarshalJSON(raw); err != nil {
		return nil, err
	}
	then := &structpb.Struct{Fields: maps.Clone(of.GetFields())}
	then.Fields["status"] = structpb.NewStructValue(status)
	return then, nil
}

const inForce = "in force"

// state says in words what an exception was at an instant.
func (r recorded) state(at time.Time) (string, error) {
	asked, err := reached(r.status.RequestedAt, at)
	if err != nil || !asked {
		return "not asked for yet", err
	}
	if revoked, err := reached(r.status.RevokedAt, at); err != nil || revoked {
		return "revoked", err
	}
	ends, err := residency.Ends(r.spec.Period, time.UTC)
	if err != nil {
		return "", err
	}
	if !ends.IsZero() && !at.Before(ends) {
		return "expired", nil
	}
	approved, err := reached(r.status.ApprovedAt, at)
	if err != nil {
		return "", err
	}
	if !approved {
		missing, err := r.missing(at)
		return "waits for " + missing, err
	}
	begins, err := residency.Begins(r.spec.Period, time.UTC)
	if at.Before(begins) {
		return "approved, begins " + r.spec.From, err
	}
	return inForce, err
}

// missing says how many approvals an exception lacked at an instant.
func (r recorded) missing(at time.Time) (string, error) {
	missing := fleet.NeededApprovals
	for _, approval := range r.status.Approvals {
		given, err := reached(approval.At, at)
		if err != nil {
			return "", err
		}
		if given {
			missing--
		}
	}
	if missing == 1 {
		return "1 approval", nil
	}
	return fmt.Sprintf("%d approvals", missing), nil
}

// moment is a recorded time for a person.
func moment(text string) string {
	at, err := residency.ParseInstant(text)
	if err != nil {
		return text
	}
	return output.Instant(&at)
}

// reached reports whether something that has a time had happened by an instant.
func reached(text string, at time.Time) (bool, error) {
	if text == "" {
		return false, nil
	}
	then, err := residency.ParseInstant(text)
	return err == nil && !then.After(at), err
}
