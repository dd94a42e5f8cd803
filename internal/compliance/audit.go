package compliance

import (
	"context"
	"fmt"
	"slices"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// Audit compares every place, declared and found, with the rules.
func (o *Office) Audit(ctx context.Context, moment fleet.Moment) (fleet.AuditReport, error) {
	v, err := o.open(ctx, moment)
	if err != nil {
		return fleet.AuditReport{}, err
	}
	return o.audit(ctx, v, moment)
}

func (o *Office) audit(ctx context.Context, v *view, moment fleet.Moment) (fleet.AuditReport, error) {
	report := fleet.AuditReport{
		Moment: fleet.Moment{AsOf: v.at, KnownAt: moment.KnownAt}, At: o.config.Now().UTC(), Revision: v.revision,
	}
	report.Places = make([]fleet.Audited, 0, len(v.ledger.all(fleet.KindPlacement)))
	for place := range v.everywhere {
		if len(report.Places)%1024 == 0 && ctx.Err() != nil {
			return fleet.AuditReport{}, fleet.Errorf(fleet.ErrUnavailable, "audit: %w", ctx.Err())
		}
		verdicts := v.judgePlace(place)
		audited := fleet.Audited{Located: place, Verdicts: verdicts}
		report.Places = append(report.Places, audited)
		switch {
		case !audited.Clean():
			report.Violations++
		case slices.ContainsFunc(verdicts, func(verdict fleet.Verdict) bool { return len(verdict.Exceptions) > 0 }):
			report.Suspended++
		}
	}
	report.Warnings = v.warnings()
	return report, nil
}

// warnings are what is suspicious about the rules of a view and those to
// come, without matters of style.
func (v *view) warnings() []fleet.PolicyWarning {
	if v.fault != nil {
		return []fleet.PolicyWarning{{Kind: fleet.WarningDeniesAll, Message: fmt.Sprintf("every answer is a denial, as the rules cannot be read: %s", oneLine(v.fault))}}
	}
	return slices.DeleteFunc(v.review(), func(warning fleet.PolicyWarning) bool { return warning.Kind == fleet.WarningStyle })
}
