package compliance

import (
	"encoding/json"
	"time"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/inventory"
	"github.com/meridian-fleet/meridian/internal/residency"
)

// read makes a version of a recorded change. One that cannot be understood is
// true from the beginning, so that nothing is answered as if it were not there.
func read(change inventory.RawChange, first bool) *version {
	v := &version{
		revision: change.Revision, recorded: change.At, actor: change.Actor, action: change.Action,
		ref: change.Ref, document: change.Document, deleted: change.Document == nil,
	}
	if v.deleted {
		v.begins = change.At
		return v
	}
	var resource fleet.Resource
	if err := json.Unmarshal(change.Document, &resource); err != nil {
		v.fault = fleet.Errorf(fleet.ErrInvalid, "cannot be read: %w", err).On(change.Ref.String())
		return v
	}
	v.interpret(resource, first)
	return v
}

// interpret reads what a document says, and since when it is true.
func (v *version) interpret(resource fleet.Resource, first bool) {
	switch v.ref.Kind {
	case fleet.KindResidencyPolicy:
		v.content = resource
		v.begins, v.fault = policyBegins(resource)
	case fleet.KindJurisdictionGroup, fleet.KindDataClass:
		v.content = resource // of these the latest version counts for all times
	case fleet.KindDataset:
		spec := decode[fleet.DatasetSpec](v, resource)
		v.since(spec.Since, first)
		v.check(residency.ValidateDataset(*spec))
	case fleet.KindWorkload:
		spec := decode[fleet.WorkloadSpec](v, resource)
		v.since(spec.Since, first)
		v.check(residency.ValidateWorkload(*spec))
	case fleet.KindRegion:
		spec := decode[fleet.RegionSpec](v, resource)
		v.since("", first)
		v.check(residency.ValidateRegionFacts(spec.Facts))
	case fleet.KindPlacement:
		spec := decode[fleet.PlacementSpec](v, resource)
		v.since(spec.From, false)
		if ends, err := residency.Ends(fleet.Period{Until: spec.Until}, time.UTC); err == nil {
			v.ends = ends // one that cannot be read has not come
		}
		v.document = nil // there are many of them, and nobody asks for their text
	case fleet.KindException:
		v.exception(resource)
	}
	if v.fault != nil {
		v.begins, v.content = time.Time{}, nil
	}
}

func decode[Spec any](v *version, resource fleet.Resource) *Spec {
	spec, err := fleet.SpecOf[Spec](resource)
	v.content, v.fault = &spec, err
	return &spec
}

// since sets when a version became true: when it says so, else when it was
// recorded; the first version without a word about it was always true.
func (v *version) since(text string, first bool) {
	switch {
	case text != "":
		at, err := residency.ParseInstant(text)
		if err != nil && v.fault == nil {
			v.fault = err
		}
		v.begins = at
	case !first:
		v.begins = v.recorded
	}
}

func (v *version) check(problems []residency.Problem) {
	if len(problems) > 0 && v.fault == nil {
		v.fault = fleet.Errorf(fleet.ErrInvalid, "%s", problems[0]).On(v.ref.String())
	}
}

func (v *version) exception(resource fleet.Resource) {
	spec := decode[fleet.ExceptionSpec](v, resource)
	v.check(residency.ValidateException(*spec))
	status, err := fleet.StatusOf[fleet.ExceptionStatus](resource)
	if v.fault == nil {
		v.fault = err
	}
	v.content = &residency.Exception{Name: v.ref.Name, Spec: *spec, Status: status}
}

// policyBegins is when a version of a policy becomes law.
func policyBegins(resource fleet.Resource) (time.Time, error) {
	spec, err := fleet.SpecOf[fleet.ResidencyPolicySpec](resource)
	if err != nil {
		return time.Time{}, err
	}
	zone, err := time.LoadLocation(spec.TimeZone)
	if err != nil {
		return time.Time{}, fleet.Errorf(fleet.ErrInvalid, "spec.timeZone: %w", err).On(resource.Ref().String())
	}
	return residency.Begins(spec.Effective, zone)
}

// there reports whether a placement was there at an instant after it began.
func (v *version) there(at time.Time) bool { return v.ends.IsZero() || at.Before(v.ends) }

// subject is what a placement or an exception is about.
func (v *version) subject() (fleet.Ref, bool) {
	switch content := v.content.(type) {
	case *fleet.PlacementSpec:
		return content.Subject, content.Subject.Name != ""
	case *residency.Exception:
		return content.Spec.Subject, true
	}
	return fleet.Ref{}, false
}

// Typed contents; nil when the version is about something else.
func (v *version) dataset() *fleet.DatasetSpec   { return contentOf[fleet.DatasetSpec](v) }
func (v *version) workload() *fleet.WorkloadSpec { return contentOf[fleet.WorkloadSpec](v) }
func (v *version) region() *fleet.RegionSpec     { return contentOf[fleet.RegionSpec](v) }
func (v *version) placement() *fleet.PlacementSpec {
	return contentOf[fleet.PlacementSpec](v)
}

func contentOf[Content any](v *version) *Content {
	if v == nil {
		return nil
	}
	content, _ := v.content.(*Content)
	return content
}
