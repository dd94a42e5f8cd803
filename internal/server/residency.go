package server

import (
	"context"
	"time"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/inventory"
)

// Residency answers about where data and workloads may be, from the live
// inventory. Errors are fleet errors.
type Residency interface {
	Check(ctx context.Context, moment fleet.Moment, questions []fleet.Question) ([]fleet.Verdict, error)
	Find(ctx context.Context, moment fleet.Moment, question fleet.Question, all bool) ([]fleet.Possible, error)
	Located(ctx context.Context, moment fleet.Moment, subjects []fleet.Ref) ([]fleet.Located, error)
	History(ctx context.Context, moment fleet.Moment, dataset string) ([]fleet.ResidencyEvent, error)
	Audit(ctx context.Context, moment fleet.Moment) (fleet.AuditReport, error)
	Diff(ctx context.Context, moment fleet.Moment, changed []fleet.Resource, deleted []fleet.Ref) (fleet.PolicyDiff, error)
	Catalog(ctx context.Context, moment fleet.Moment) ([]fleet.RegionFacts, error)
	Documents(ctx context.Context, moment fleet.Moment, kind fleet.Kind) ([]fleet.Resource, error)
	Report(ctx context.Context, moment fleet.Moment, title, actor, version string) (fleet.EvidenceBody, error)

	// Review warns about policies as they would be after a change.
	Review(ctx context.Context, changed []fleet.Resource) ([]fleet.PolicyWarning, error)
	// Admit judges a write of datasets and workloads. A place that would be
	// new, or would become unlawful by the write, and is denied makes it
	// ErrDenied, with Object and Field.
	Admit(ctx context.Context, actor string, changed []fleet.Resource) (Admission, error)
}

// Admission is the answer to a write of datasets and workloads.
type Admission struct {
	// Decisions are written together with the documents, or, when the write is
	// denied, instead of them.
	Decisions []fleet.Resource
	// Unless keeps the write from happening when what the answer rests on has
	// changed since.
	Unless *inventory.Moved
}

// ResidencyRules are what can be said of an exception or a period by itself.
type ResidencyRules interface {
	// CheckException lists what is wrong with a spec: ErrInvalid, joined, each
	// with its Field, such as spec.until.
	CheckException(spec fleet.ExceptionSpec) error
	// Span is when a period, in UTC, begins and which is the first instant
	// after it. An open end is the zero time.
	Span(period fleet.Period) (begins, ends time.Time, err error)
}

// Evidence is the tamper-evident log.
type Evidence interface {
	// Export seals a report into a pack and notes that in the log.
	Export(ctx context.Context, body fleet.EvidenceBody) ([]byte, error)
	// Verify compares the log with itself and with the inventory.
	Verify(ctx context.Context) (fleet.EvidenceReport, error)
}
