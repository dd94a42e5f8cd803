package residency

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/meridian-fleet/meridian/internal/cli/kinds"
	"github.com/meridian-fleet/meridian/internal/cli/output"
	"github.com/meridian-fleet/meridian/internal/cli/terminal"
	"github.com/meridian-fleet/meridian/internal/fleet"
)

// part is a rule about the data and facet of a question, and what it had to do
// with the answer.
type part struct {
	Rule    string         `json:"rule"` // POLICY/RULE
	Version string         `json:"version"`
	Kind    fleet.RuleKind `json:"kind"`
	Part    string         `json:"part"`
	When    string         `json:"when,omitempty"`
	InForce string         `json:"inForce"`
	Plain   string         `json:"plain,omitempty"`
	Cites   string         `json:"cites,omitempty"`
}

// parts lists every rule about the classes and facets of some data.
func (l law) parts(all []data, answer fleet.Verdict) ([]part, error) {
	var parts []part
	for _, policy := range l.policies {
		spec, err := fleet.SpecOf[fleet.ResidencyPolicySpec](policy)
		if err != nil {
			return nil, err
		}
		for _, rule := range spec.Rules {
			if !slices.ContainsFunc(all, func(d data) bool { return d.concernedBy(spec, rule) }) {
				continue
			}
			id := policy.Metadata.Name + "/" + rule.Name
			period := spec.Effective
			if rule.Effective != nil {
				period = *rule.Effective
			}
			parts = append(parts, part{
				Rule: id, Version: spec.Version, Kind: rule.Kind(), Part: role(id, rule.Kind(), answer),
				When: rule.When, InForce: kinds.Period(period), Plain: rule.Plain, Cites: rule.Cites,
			})
		}
	}
	return parts, nil
}

// concernedBy reports whether a rule is about the data's classes and facets.
func (d data) concernedBy(policy fleet.ResidencyPolicySpec, rule fleet.Rule) bool {
	has := func(class string) bool { return slices.Contains(d.Classes, class) }
	within := len(rule.Classes) == 0 || slices.ContainsFunc(rule.Classes, has)
	done := slices.ContainsFunc(rule.Facets, func(facet fleet.Facet) bool { return slices.Contains(d.Facets, facet) })
	return slices.ContainsFunc(policy.AppliesTo.Classes, has) && within && done
}

// role is what a rule had to do with an answer.
func role(id string, kind fleet.RuleKind, answer fleet.Verdict) string {
	for _, effect := range []fleet.Effect{fleet.EffectDenies, fleet.EffectSuspended, fleet.EffectAllows} {
		for _, finding := range answer.Findings {
			if finding.ID() == id && finding.Effect == effect {
				return map[fleet.Effect]string{fleet.EffectDenies: "forbids", fleet.EffectSuspended: "suspended", fleet.EffectAllows: "permits"}[effect]
			}
		}
	}
	for _, obligation := range answer.Obligations {
		if obligation.Policy+"/"+obligation.Rule == id {
			if obligation.Unsure {
				return "may oblige"
			}
			return "obliges"
		}
	}
	if kind == fleet.RuleObligation {
		return "does not apply"
	}
	return "does not forbid it"
}

// write prints grounds below the verdict.
func (g grounds) write(out *terminal.Screen, wide bool) error {
	unknown := slices.DeleteFunc(slices.Clone(g.Unknown), func(name string) bool { return name == "instrument" }) // said of each ground
	if len(unknown) > 0 {
		fmt.Fprintln(out, "\nWhat is not known, and so does not help:")
		for _, name := range unknown {
			fmt.Fprintf(out, "  - %s\n", terminal.Clean(name))
		}
	}
	if len(g.Data) > 0 { // of a workload nobody declared nothing is known
		fmt.Fprintln(out, "\nThe data:")
	}
	for _, one := range g.Data {
		one.write(out)
	}
	fmt.Fprintln(out, "\nThe place:")
	g.place(out)
	if len(g.Presence) > 0 {
		fmt.Fprintln(out, "\nWhere it is:")
		if err := placesGrid(g.atlas, g.Presence, wide).Write(out, "  "); err != nil {
			return err
		}
	}
	return g.rules(out)
}

func (d data) write(out *terminal.Screen) {
	name := "data without a name"
	if d.Dataset != "" {
		name = "dataset " + d.Dataset
	}
	if d.Undeclared {
		fmt.Fprintf(out, "  - %s: nobody declared it\n", terminal.Clean(name))
		return
	}
	classes := joinedOr(d.Classes, "no class")
	fmt.Fprintf(out, "  - %s: %s\n", terminal.Clean(name), terminal.Clean(classes))
	writeFacts(out, "data.", d.Facts)
	for _, instrument := range d.Instruments {
		text := "instrument " + instrument.Name + ": " + string(instrument.Basis)
		if instrument.Counterparty != "" {
			text += " with " + instrument.Counterparty
		}
		period := fleet.Period{From: instrument.From, Until: instrument.Until}
		fmt.Fprintf(out, "    %s, %s (%s)\n", terminal.Clean(text), terminal.Clean(kinds.Period(period)), terminal.Clean(origin(instrument.Source, instrument.Reference)))
	}
}

// writeFacts prints facts with where they come from, and when they hold if
// not always.
func writeFacts(out *terminal.Screen, prefix string, facts map[string]fleet.DataFact) {
	for _, name := range slices.Sorted(maps.Keys(facts)) {
		fact := facts[name]
		text := fmt.Sprintf("%s%s is %s (%s)", prefix, name, fact.Value, origin(fact.Source, fact.Reference))
		if fact.From != "" || fact.Until != "" {
			text += ", " + kinds.Period(fleet.Period{From: fact.From, Until: fact.Until})
		}
		fmt.Fprintf(out, "    %s\n", terminal.Clean(text))
	}
}

func joinedOr(words []string, otherwise string) string {
	if len(words) == 0 {
		return otherwise
	}
	return strings.Join(words, ", ")
}

func origin(source fleet.FactSource, reference string) string {
	if source == "" {
		source = fleet.SourceDeclared
	}
	if reference == "" {
		return string(source)
	}
	return string(source) + ": " + reference
}

func (g grounds) place(out *terminal.Screen) {
	name := g.Verdict.Region
	if g.Place == nil {
		where := g.atlas.Where(name)
		if where == "" {
			where = "no catalog has it"
		}
		fmt.Fprintf(out, "  - %s: %s\n", terminal.Clean(name), terminal.Clean(where))
		return
	}
	fmt.Fprintf(out, "  - %s\n", terminal.Clean(g.atlas.Place(name)))
	fmt.Fprintf(out, "    run by %s (partition %s), under the law of %s\n", terminal.Clean(g.Place.Operator), terminal.Clean(g.Place.Partition),
		terminal.Clean(joinedOr(g.Place.Jurisdictions, "nobody known")))
	if g.Place.ReplicaPair != "" {
		fmt.Fprintf(out, "    replica pair %s\n", terminal.Clean(g.atlas.Place(g.Place.Provider+"/"+g.Place.ReplicaPair)))
	}
	writeFacts(out, "region.", g.Place.Facts)
}

func (g grounds) rules(out *terminal.Screen) error {
	if len(g.Rules) == 0 {
		fmt.Fprintln(out, "\nNo rule is about this data and this facet.")
		return nil
	}
	fmt.Fprintln(out, "\nEvery rule about this data and facet:")
	grid := output.NewGrid("RULE", "VERSION", "KIND", "PART", "IN-FORCE", "CITES", "CONDITION", "SAYS")
	for _, part := range g.Rules {
		grid.Row(part.Rule, part.Version, string(part.Kind), part.Part, part.InForce, part.Cites, part.When, part.Plain)
	}
	return grid.Write(out, "  ")
}
