package residency

import (
	"slices"
	"strings"
	"time"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// InForce is when an exception suspends its rule: from the later of its own
// beginning and the approval that completed it, until its end or revocation.
// Not ok: it never does, for lack of approvals or of an end.
func InForce(spec fleet.ExceptionSpec, status fleet.ExceptionStatus) (began, ended time.Time, ok bool) {
	return Exception{Spec: spec, Status: status}.period()
}

func (e Exception) period() (began, ended time.Time, ok bool) {
	began, ended, err := ends(e.Spec.Period, time.UTC)
	approved := e.valid()
	if err != nil || ended.IsZero() || len(approved) < fleet.NeededApprovals {
		return began, ended, false
	}
	if complete := approved[fleet.NeededApprovals-1].at; complete.After(began) {
		began = complete
	}
	if e.Status.RevokedAt != "" || e.Status.Phase == fleet.ExceptionRevoked {
		revoked, err := ParseInstant(e.Status.RevokedAt)
		if err != nil {
			return began, ended, false
		}
		if revoked.Before(ended) {
			ended = revoked
		}
	}
	return began, ended, began.Before(ended)
}

type approval struct {
	by string
	at time.Time
}

// valid are the first approvals of each person but the requester, the earliest
// first. An exception whose requester is not known has none.
func (e Exception) valid() []approval {
	if e.Status.RequestedBy == "" {
		return nil
	}
	var all []approval
	for _, given := range e.Status.Approvals {
		at, err := ParseInstant(given.At)
		if err == nil && given.By != "" && !strings.EqualFold(given.By, e.Status.RequestedBy) {
			all = append(all, approval{by: given.By, at: at})
		}
	}
	slices.SortStableFunc(all, func(a, b approval) int { return a.at.Compare(b.at) })
	var first []approval
	for _, given := range all {
		if !slices.ContainsFunc(first, func(other approval) bool { return strings.EqualFold(other.by, given.by) }) {
			first = append(first, given)
		}
	}
	return first
}

// approvers are who approved, in order.
func (e Exception) approvers() []string {
	var names []string
	for _, given := range e.valid() {
		names = append(names, given.by)
	}
	return names
}
