package compliance

import (
	"slices"
	"time"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/residency"
)

// maxInstants is how many different instants one write is judged at.
const maxInstants = 256

// dates are the instants from now on at which documents begin to say something
// else.
type dates struct {
	*view
	instants []time.Time // now first
}

// instants are now and every date to come on which what a write does may
// change: the dates in its own documents and those they replace, in datasets
// that its workloads touch, and of workloads that touch its datasets.
func (v *view) instants(changed []fleet.Resource) ([]time.Time, error) {
	d := &dates{view: v, instants: []time.Time{v.at}}
	for _, resource := range changed {
		if resource.Kind != fleet.KindDataset && resource.Kind != fleet.KindWorkload {
			continue // a law to come is judged when it has come
		}
		after, err := assumed(resource, v.at, false)
		if err != nil {
			return nil, err
		}
		if after.fault != nil {
			return nil, badDocument(after.ref, after.fault)
		}
		d.of(after)
		d.related(after)
	}
	if len(d.instants) > maxInstants {
		return nil, fleet.Errorf(fleet.ErrInvalid, "%d different dates to come in one write, and in what it touches; at most %d are judged", len(d.instants)-1, maxInstants-1).
			Advise("write fewer documents at once")
	}
	slices.SortFunc(d.instants, time.Time.Compare)
	return d.instants, nil
}

func (d *dates) add(at time.Time, err error) {
	if err == nil && at.After(d.at) && !slices.ContainsFunc(d.instants, at.Equal) {
		d.instants = append(d.instants, at)
	}
}

// of adds when a version begins, and its bindings begin and end.
func (d *dates) of(one *version) {
	d.add(one.begins, nil)
	if spec := one.dataset(); spec != nil {
		for _, binding := range spec.Bindings {
			period := fleet.Period{From: binding.From, Until: binding.Until}
			d.add(residency.Begins(period, time.UTC))
			d.add(residency.Ends(period, time.UTC))
		}
	}
}

// related adds the dates of what a version replaces and touches, and of what
// touches it.
func (d *dates) related(one *version) {
	d.document(one.ref)
	if spec := one.workload(); spec != nil {
		for _, use := range spec.Datasets {
			d.document(fleet.Ref{Kind: fleet.KindDataset, Name: use.Dataset})
		}
		return
	}
	for _, name := range d.names(fleet.KindWorkload) {
		ref := fleet.Ref{Kind: fleet.KindWorkload, Name: name}
		if slices.ContainsFunc(d.versions(ref), func(workload *version) bool { return uses(workload, one.ref.Name) }) {
			d.document(ref)
		}
	}
}

// document adds the dates of what counts now or will count.
func (d *dates) document(ref fleet.Ref) {
	for _, span := range d.timeline(ref) {
		if span.until.IsZero() || span.until.After(d.at) {
			d.of(span.version)
		}
	}
}
