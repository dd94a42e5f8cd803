package fleet

import "strconv"

// Mention is one resource's naming of another, and the field it stands in.
type Mention struct {
	Field string
	Ref   Ref // a place, region or country, has kind Region
}

// Mentions lists what a document about residency, or a Region, names: groups,
// classes, datasets and places. Where a rule may name a country or a group it
// is listed as a group.
func Mentions(resource Resource) ([]Mention, error) {
	var m mentions
	var err error
	switch resource.Kind {
	case KindResidencyPolicy:
		err = gather(resource, m.policy)
	case KindJurisdictionGroup:
		err = gather(resource, m.group)
	case KindDataClass:
		err = gather(resource, func(spec DataClassSpec) { m.all("spec.inherits", KindDataClass, spec.Inherits) })
	case KindDataset:
		err = gather(resource, m.dataset)
	case KindWorkload:
		err = gather(resource, m.workload)
	case KindRegion:
		err = gather(resource, func(spec RegionSpec) { m.uses("spec.data", spec.Data) })
	case KindException:
		err = gather(resource, m.exception)
	}
	return m, err
}

func gather[Spec any](resource Resource, of func(Spec)) error {
	spec, err := SpecOf[Spec](resource)
	if err == nil {
		of(spec)
	}
	return err
}

type mentions []Mention

func (m *mentions) add(field string, kind Kind, name string) {
	if name != "" {
		*m = append(*m, Mention{field, Ref{Kind: kind, Name: name}})
	}
}

func (m *mentions) all(field string, kind Kind, names []string) {
	for i, name := range names {
		m.add(element(field, i), kind, name)
	}
}

func element(field string, index int) string { return field + "[" + strconv.Itoa(index) + "]" }

func (m *mentions) policy(spec ResidencyPolicySpec) {
	m.all("spec.appliesTo.classes", KindDataClass, spec.AppliesTo.Classes)
	for i, rule := range spec.Rules {
		m.rule(element("spec.rules", i), rule)
	}
}

func (m *mentions) rule(field string, rule Rule) {
	m.all(field+".classes", KindDataClass, rule.Classes)
	m.scope(field+".allowOnly", rule.AllowOnly)
	if rule.RequireCopy != nil {
		m.scope(field+".requireCopy.in", &rule.RequireCopy.In)
	}
	if rule.TransferIf != nil {
		m.scope(field+".transferIf.home", rule.TransferIf.Home)
		m.scope(field+".transferIf.to", &rule.TransferIf.To)
	}
	if rule.Operator != nil {
		m.all(field+".operator.notControlledFrom", KindJurisdictionGroup, rule.Operator.NotControlledFrom)
		m.all(field+".operator.onlyControlledFrom", KindJurisdictionGroup, rule.Operator.OnlyControlledFrom)
		m.all(field+".operator.supportedFrom", KindJurisdictionGroup, rule.Operator.SupportedFrom)
	}
	if rule.Obligation != nil {
		m.scope(field+".obligation.inside", rule.Obligation.Inside)
		m.scope(field+".obligation.outside", rule.Obligation.Outside)
	}
}

func (m *mentions) scope(field string, scope *Scope) {
	for ; scope != nil; scope, field = scope.Except, field+".except" {
		m.all(field+".groups", KindJurisdictionGroup, scope.Groups)
	}
}

func (m *mentions) group(spec JurisdictionGroupSpec) {
	for i, member := range spec.Members {
		m.add(element("spec.members", i)+".group", KindJurisdictionGroup, member.Group)
	}
}

func (m *mentions) dataset(spec DatasetSpec) {
	m.all("spec.classes", KindDataClass, spec.Classes)
	for i, binding := range spec.Bindings {
		field := element("spec.bindings", i)
		m.add(field+".region", KindRegion, binding.Region)
		m.add(field+".pair", KindRegion, binding.Pair)
	}
	for i, instrument := range spec.Instruments {
		m.scope(element("spec.instruments", i)+".to", instrument.To)
	}
}

func (m *mentions) workload(spec WorkloadSpec) {
	for i, use := range spec.Datasets {
		m.add(element("spec.datasets", i)+".dataset", KindDataset, use.Dataset)
	}
	m.uses("spec.classes", spec.Classes)
	m.all("spec.regions", KindRegion, spec.Regions)
}

func (m *mentions) uses(field string, uses []ClassUse) {
	for i, use := range uses {
		m.all(element(field, i)+".classes", KindDataClass, use.Classes)
	}
}

func (m *mentions) exception(spec ExceptionSpec) {
	m.add("spec.policy", KindResidencyPolicy, spec.Policy)
	m.add("spec.subject.name", spec.Subject.Kind, spec.Subject.Name)
	m.scope("spec.scope", &spec.Scope)
}
