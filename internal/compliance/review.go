package compliance

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/residency"
)

// Review warns about policies as they would be after a change: those of the
// documents given, and what they do to the others. Documents that make no
// rulebook together, such as classes that inherit from each other in a circle,
// are ErrInvalid.
func (o *Office) Review(ctx context.Context, changed []fleet.Resource) ([]fleet.PolicyWarning, error) {
	names := map[string]bool{}
	for _, resource := range changed {
		if slices.Contains(ruleKinds, resource.Kind) {
			names[resource.Metadata.Name] = true
		}
	}
	if len(names) == 0 {
		return nil, nil
	}
	before, err := o.open(ctx, fleet.Moment{})
	if err != nil {
		return nil, err
	}
	after, err := o.assume(ctx, before, before.at, changed, nil)
	if err != nil {
		return nil, err
	}
	if fault := faultsOf(after.fault, changed); fault != nil {
		return nil, fault
	}
	known := map[string]bool{}
	for _, warning := range before.review() {
		known[identity(warning)] = true
	}
	return slices.DeleteFunc(after.review(), func(warning fleet.PolicyWarning) bool {
		return known[identity(warning)] && !concerns(warning, names)
	}), nil
}

// review finds what is suspicious from a view's instant on.
func (v *view) review() []fleet.PolicyWarning {
	rulebook, err := residency.NewRulebook(v.documents())
	if err != nil {
		return nil // the view's own fault says so
	}
	return rulebook.Review(v.catalog, v.at, append(v.datasets(), v.handled()...))
}

// datasets are the subjects of all datasets that can be read, by name.
func (v *view) datasets() []residency.Subject {
	var subjects []residency.Subject
	for _, one := range v.all(fleet.KindDataset) {
		if dataset := v.prepare(one.ref); dataset.fault == nil {
			subjects = append(subjects, dataset.subject)
		}
	}
	return subjects
}

// handled is the data of classes that workloads handle without a dataset.
func (v *view) handled() []residency.Subject {
	var subjects []residency.Subject
	for _, one := range v.all(fleet.KindWorkload) {
		if spec := one.workload(); spec != nil {
			for _, use := range spec.Classes {
				subjects = append(subjects, residency.Subject{Ref: one.ref, Declared: true, Classes: use.Classes})
			}
		}
	}
	return subjects
}

// faultsOf are the faults that are about the changed documents. Others were
// there before.
func faultsOf(fault error, changed []fleet.Resource) error {
	var faults []error
	for _, one := range flatten(fault) {
		var own *fleet.Error
		if !errors.As(one, &own) {
			continue
		}
		if slices.ContainsFunc(changed, func(resource fleet.Resource) bool { return resource.Ref().String() == own.Object }) {
			faults = append(faults, one)
		}
	}
	return errors.Join(faults...)
}

// flatten parts joined errors.
func flatten(err error) []error {
	var joined interface{ Unwrap() []error }
	if !errors.As(err, &joined) {
		if err == nil {
			return nil
		}
		return []error{err}
	}
	var all []error
	for _, one := range joined.Unwrap() {
		all = append(all, flatten(one)...)
	}
	return all
}

// identity tells warnings apart, whatever else their text says.
func identity(warning fleet.PolicyWarning) string {
	return string(warning.Kind) + " " + strings.Join(warning.Rules, " ") + " " + warning.Message
}

// concerns reports whether a warning is about one of some policies.
func concerns(warning fleet.PolicyWarning, policies map[string]bool) bool {
	return slices.ContainsFunc(warning.Rules, func(id string) bool {
		policy, _, _ := strings.Cut(id, "/")
		return policies[policy]
	})
}
