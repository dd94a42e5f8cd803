package residency

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/meridian-fleet/meridian/internal/cli/factory"
	"github.com/meridian-fleet/meridian/internal/cli/output"
	"github.com/meridian-fleet/meridian/internal/cli/question"
	"github.com/meridian-fleet/meridian/internal/cli/usage"
	"github.com/meridian-fleet/meridian/internal/fleet"
)

// FactsOptions are the inputs of facts.
type FactsOptions struct {
	*factory.Factory
}

// NewFacts makes the command facts.
func NewFacts(f *factory.Factory, run func(context.Context, *FactsOptions) error) *cobra.Command {
	options := &FactsOptions{Factory: f}
	return &cobra.Command{
		Use:   "facts",
		Short: "List the facts that rules can look at, without asking fleetd",
		Long: `List the facts that the conditions of rules can look at: what a Dataset declares
about its data, what a provider's catalog and a Region document say of a region,
and the facet. A fact nobody knows never helps: the answer is a yes only if it
would be a yes whatever the fact is.`,
		Example: `  fleetctl residency facts
  fleetctl residency facts -o json`,
		Args: usage.Args(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), options) },
	}
}

// fact is one as a condition names it.
type fact struct {
	fleet.FactDefinition
	From string `json:"from"` // who says it
}

func allFacts() []fact {
	var all []fact
	for _, part := range []struct {
		prefix, from string
		facts        []fleet.FactDefinition
	}{
		{"data.", "every dataset", []fleet.FactDefinition{
			{Name: "name", Type: fleet.FactText, Text: "name of the dataset"},
			{Name: "classes", Type: fleet.FactTexts, Text: "its classes, with those they inherit from"},
		}},
		{"data.", "the Dataset document", fleet.DataFacts},
		{"region.", "the provider's catalog", fleet.CatalogFacts},
		{"region.", "the Region document", fleet.RegionFactNames},
	} {
		for _, definition := range part.facts {
			definition.Name = part.prefix + definition.Name
			all = append(all, fact{definition, part.from})
		}
	}
	facet := fleet.FactDefinition{Name: "facet", Type: fleet.FactText, Text: "what is done to the data", Values: question.FacetWords()}
	return append(all, fact{facet, "the question"})
}

// Facts runs facts.
func Facts(_ context.Context, options *FactsOptions) error {
	facts := allFacts()
	switch options.Output {
	case output.JSON, output.YAML:
		return output.Value(options.Streams.Out, options.Output, output.List("FactList", facts))
	case output.Name:
		for _, fact := range facts {
			fmt.Fprintln(options.Streams.Out, fact.Name)
		}
		return nil
	}
	grid := output.NewGrid("FACT", "TYPE", "FROM", "MEANING", "VALUES")
	for _, fact := range facts {
		grid.Row(fact.Name, string(fact.Type), fact.From, fact.Text, strings.Join(fact.Values, ", "))
	}
	return grid.Write(options.Streams.Out, "")
}

// dataFacts is a document's facts in a cell.
func dataFacts(facts map[string]fleet.DataFact) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(facts)) {
		parts = append(parts, name+"="+string(facts[name].Value))
	}
	return strings.Join(parts, " ")
}
