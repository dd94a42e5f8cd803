package compliance

import (
	"context"
	"slices"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// Check answers questions, in their order. A question that says At or KnownAt
// itself is about that; any other is about the moment.
func (o *Office) Check(ctx context.Context, moment fleet.Moment, questions []fleet.Question) ([]fleet.Verdict, error) {
	present, err := o.open(ctx, moment)
	if err != nil {
		return nil, err
	}
	verdicts := make([]fleet.Verdict, 0, len(questions))
	for i, question := range questions {
		if i%64 == 0 && ctx.Err() != nil {
			return nil, fleet.Errorf(fleet.ErrUnavailable, "check: %w", ctx.Err())
		}
		v, own := present, moment
		if !question.At.IsZero() {
			own.AsOf = question.At
		}
		if question.KnownAt != nil {
			own.KnownAt = *question.KnownAt
		}
		if own != moment {
			if v, err = o.open(ctx, own); err != nil {
				return nil, err
			}
		}
		verdicts = append(verdicts, v.judge(question))
	}
	return verdicts, nil
}

// Located says where datasets and workloads are, all of them when none is
// named; placements of data whose name is not known come with all. A subject
// nobody declared is ErrNotFound.
func (o *Office) Located(ctx context.Context, moment fleet.Moment, subjects []fleet.Ref) ([]fleet.Located, error) {
	v, err := o.open(ctx, moment)
	if err != nil {
		return nil, err
	}
	if len(subjects) == 0 {
		return slices.Collect(v.everywhere), nil
	}
	var places []fleet.Located
	for _, subject := range subjects {
		of := v.placesOf(subject)
		if v.valid(subject) == nil && len(of) == 0 {
			return nil, fleet.Errorf(fleet.ErrNotFound, "not in the inventory%s", v.when()).On(subject.String())
		}
		places = append(places, of...)
	}
	return places, nil
}

// when says in a message which past or future a view is of.
func (v *view) when() string {
	if v.known.IsZero() {
		return ""
	}
	return " as it was known at " + v.known.UTC().Format("2006-01-02 15:04:05") + " UTC"
}
