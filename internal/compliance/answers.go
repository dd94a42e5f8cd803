package compliance

import (
	"context"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/inventory"
)

// Check answers questions, in their order. A question without At is about the
// moment.
func (o *Office) Check(ctx context.Context, moment fleet.Moment, questions []fleet.Question) ([]fleet.Verdict, error) {
	return nil, errPending
}

// Find says where a subject may be: allowed regions first, the best first, and
// with all also those where it may not be, with the reason.
func (o *Office) Find(ctx context.Context, moment fleet.Moment, question fleet.Question, all bool) ([]fleet.Possible, error) {
	return nil, errPending
}

// Located says where datasets and workloads are, all of them when none is
// named. A subject nobody declared is ErrNotFound.
func (o *Office) Located(ctx context.Context, moment fleet.Moment, subjects []fleet.Ref) ([]fleet.Located, error) {
	return nil, errPending
}

// History is what happened to a dataset, the earliest first: where it was,
// since when, under which rules, exceptions and decisions.
func (o *Office) History(ctx context.Context, moment fleet.Moment, dataset string) ([]fleet.ResidencyEvent, error) {
	return nil, errPending
}

// Audit compares every place, declared and found, with the rules.
func (o *Office) Audit(ctx context.Context, moment fleet.Moment) (fleet.AuditReport, error) {
	return fleet.AuditReport{}, errPending
}

// Diff says what would become unlawful, or lawful, were documents changed and
// deleted. Without AsOf it is about the first instant, not before now, at which
// every changed policy has begun.
func (o *Office) Diff(ctx context.Context, moment fleet.Moment, changed []fleet.Resource, deleted []fleet.Ref) (fleet.PolicyDiff, error) {
	return fleet.PolicyDiff{}, errPending
}

// Review warns about policies as they would be after a change.
func (o *Office) Review(ctx context.Context, changed []fleet.Resource) ([]fleet.PolicyWarning, error) {
	return nil, errPending
}

// Report gathers everything an auditor's pack holds.
func (o *Office) Report(ctx context.Context, moment fleet.Moment, title, actor, version string) (fleet.EvidenceBody, error) {
	return fleet.EvidenceBody{}, errPending
}

// Decide judges an act and records the Decision before it returns. A denial is
// recorded too and returned as ErrDenied, beside the decision.
func (o *Office) Decide(ctx context.Context, act fleet.Act) (fleet.Resource, fleet.DecisionSpec, error) {
	return fleet.Resource{}, fleet.DecisionSpec{}, errPending
}

// Admission is the answer to a write of documents.
type Admission struct {
	// Decisions are to be written in the transaction of the documents. When the
	// write is denied they are what is to be recorded instead of it.
	Decisions []fleet.Resource
	// Unless belongs into the transaction's options: it fails with ErrConflict
	// when a rule or a fact changed since, and the write is to be admitted anew.
	Unless *inventory.Moved
}

// Admit judges a write of Datasets and Workloads before it happens: every place
// that would be new, and every place that the write would make unlawful. A
// denial is ErrDenied, joined, each with Object and Field.
func (o *Office) Admit(ctx context.Context, actor string, changed []fleet.Resource) (Admission, error) {
	return Admission{}, errPending
}

var errPending = fleet.Errorf(fleet.ErrUnavailable, "not answered yet")
