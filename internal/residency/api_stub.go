package residency

import (
	"time"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

type Rulebook struct{}

func NewRulebook(resources []fleet.Resource) (*Rulebook, error) { return &Rulebook{}, nil }

type Compiled struct{}

func (r *Rulebook) Compile(catalog *Catalog, at time.Time) (*Compiled, error) {
	return &Compiled{}, nil
}

type Copy struct {
	Facets       []fleet.Facet
	Region, Pair string
	GeoRedundant bool
	Source       fleet.FactSource // how the place is known; declared when empty
}

type Exception struct {
	Name   string
	Spec   fleet.ExceptionSpec
	Status fleet.ExceptionStatus
}

type Subject struct {
	Ref         fleet.Ref
	Declared    bool
	Classes     []string
	Facts       map[string]fleet.DataFact
	Instruments []fleet.Instrument
	Copies      []Copy
	Exceptions  []Exception
}

type Prepared struct{}

func (c *Compiled) Prepare(subject Subject) *Prepared { return &Prepared{} }

func (p *Prepared) Allows(facet fleet.Facet, place PlaceID) bool { return false }

func (p *Prepared) Allowed(facet fleet.Facet) Set { return Set{} }

func (c *Compiled) Judge(p *Prepared, q fleet.Question) fleet.Verdict {
	return fleet.Verdict{Question: q}
}

func (c *Compiled) Explain(p *Prepared, q fleet.Question) fleet.Verdict {
	return fleet.Verdict{Question: q}
}

type Use struct {
	Prepared *Prepared
	Facets   []fleet.Facet
}

func (c *Compiled) JudgeWorkload(workload fleet.Ref, uses []Use, exceptions []Exception, q fleet.Question) fleet.Verdict {
	return fleet.Verdict{Question: q}
}

type PreparedUse struct{ allowed *Set }

func (c *Compiled) PrepareUse(use Use, exceptions []Exception) PreparedUse {
	return PreparedUse{&Set{}}
}

func AllowedRegions(into *Set, uses []PreparedUse) { *into = Set{} }

func Reference(r *Rulebook, catalog *Catalog, at time.Time, subject Subject, q fleet.Question) fleet.Verdict {
	return fleet.Verdict{Question: q}
}

func (r *Rulebook) Review(catalog *Catalog, from time.Time, subjects []Subject) []fleet.PolicyWarning {
	return nil
}

func Classes(r *Rulebook, names []string) (all, unknown []string) { return nil, names }

func ValidatePolicy(fleet.ResidencyPolicySpec) []Problem      { return nil }
func ValidateGroup(fleet.JurisdictionGroupSpec) []Problem     { return nil }
func ValidateClass(fleet.DataClassSpec) []Problem             { return nil }
func ValidateDataset(fleet.DatasetSpec) []Problem             { return nil }
func ValidateWorkload(fleet.WorkloadSpec) []Problem           { return nil }
func ValidateException(fleet.ExceptionSpec) []Problem         { return nil }
func ValidateRegionFacts(map[string]fleet.DataFact) []Problem { return nil }
