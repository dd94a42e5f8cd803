package compliance

import (
	"context"
	"slices"
	"time"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/residency"
)

// Material is what rules are compiled from for those who keep them without
// Meridian: clouds and clusters.
type Material struct {
	Revision  int64 // of the inventory it rests on
	At        time.Time
	Documents []fleet.Resource // policies, groups and classes, those to come as well
	Catalog   *residency.Catalog
	Subjects  []residency.Subject // datasets, with where they are known to be
	Workloads []WorkloadMaterial
}

// WorkloadMaterial is a workload, what it touches and its exceptions.
type WorkloadMaterial struct {
	Name       string
	Classes    []string
	Uses       []UseMaterial
	Exceptions []residency.Exception
}

// UseMaterial is what a workload does to some data.
type UseMaterial struct {
	Subject residency.Subject
	Facets  []fleet.Facet
}

// Material gathers everything that is true at a moment. Rules that cannot be
// read are an error: what would be compiled without them is not the law.
func (o *Office) Material(ctx context.Context, moment fleet.Moment) (Material, error) {
	v, err := o.open(ctx, moment)
	if err != nil {
		return Material{}, err
	}
	if v.fault != nil {
		return Material{}, v.fault
	}
	material := Material{Revision: v.revision, At: v.at, Documents: v.documents(), Catalog: v.catalog}
	for _, one := range v.all(fleet.KindDataset) {
		if found := v.prepare(one.ref); found.fault == nil {
			material.Subjects = append(material.Subjects, found.subject)
		}
	}
	for _, one := range v.all(fleet.KindWorkload) {
		if spec := one.workload(); spec != nil {
			material.Workloads = append(material.Workloads, v.workloadMaterial(one.ref, spec))
		}
	}
	return material, nil
}

func (v *view) workloadMaterial(ref fleet.Ref, spec *fleet.WorkloadSpec) WorkloadMaterial {
	material := WorkloadMaterial{Name: ref.Name, Exceptions: v.exceptions(ref)}
	for _, use := range spec.Datasets {
		subject := v.prepare(fleet.Ref{Kind: fleet.KindDataset, Name: use.Dataset}).subject
		material.Uses = append(material.Uses, UseMaterial{subject, use.Facets})
		material.Classes = append(material.Classes, subject.Classes...)
	}
	for _, use := range spec.Classes {
		material.Uses = append(material.Uses, UseMaterial{residency.Subject{Declared: true, Classes: use.Classes}, use.Facets})
		material.Classes = append(material.Classes, use.Classes...)
	}
	slices.Sort(material.Classes)
	material.Classes = slices.Compact(material.Classes)
	return material
}
