package complete

import (
	"context"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/meridian-fleet/meridian/internal/cli/factory"
	"github.com/meridian-fleet/meridian/internal/cli/question"
	"github.com/meridian-fleet/meridian/internal/fleet"
)

// wordOf is what a subject's kind is typed as.
var wordOf = map[fleet.Kind]string{fleet.KindDataset: "dataset", fleet.KindWorkload: "workload", fleet.KindDataClass: "class"}

// Subjects completes at most a number of subjects of some kinds: the word of a
// kind first, then its names. Unlimited is a negative number.
func Subjects(f *factory.Factory, atMost int, kinds ...fleet.Kind) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		if atMost >= 0 && len(args) >= atMost {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return subjects(cmd.Context(), f, kinds, args, typed)
	}
}

// Subject completes a flag's value as Subjects does.
func Subject(f *factory.Factory, kinds ...fleet.Kind) cobra.CompletionFunc {
	return func(cmd *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
		return subjects(cmd.Context(), f, kinds, nil, typed)
	}
}

func subjects(ctx context.Context, f *factory.Factory, kinds []fleet.Kind, taken []string, typed string) ([]string, cobra.ShellCompDirective) {
	word, _, named := strings.Cut(typed, "/")
	var found []string
	for _, kind := range kinds {
		switch {
		case !named:
			found = append(found, wordOf[kind]+"/")
		case word == wordOf[kind]:
			for _, name := range lookup(ctx, f, kind, nil, "") {
				found = append(found, word+"/"+name)
			}
		}
	}
	found = slices.DeleteFunc(startingWith(found, typed), func(name string) bool { return slices.Contains(taken, name) })
	directive := cobra.ShellCompDirectiveNoFileComp
	if !named {
		directive |= cobra.ShellCompDirectiveNoSpace
	}
	return found, directive
}

// Facets completes a comma-separated list of facets.
func Facets() cobra.CompletionFunc {
	return list(func(*cobra.Command) []string { return question.FacetWords() })
}

// CatalogRegions completes a comma-separated list of all regions that
// providers have, declared or not.
func CatalogRegions(f *factory.Factory) cobra.CompletionFunc {
	return list(func(cmd *cobra.Command) []string { return catalog(cmd.Context(), f) })
}

// list completes the last word of a comma-separated list, none twice.
func list(words func(*cobra.Command) []string) cobra.CompletionFunc {
	return func(cmd *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
		before, last := "", typed
		if comma := strings.LastIndex(typed, ","); comma >= 0 {
			before, last = typed[:comma+1], typed[comma+1:]
		}
		taken := strings.Split(before, ",")
		var found []string
		for _, word := range startingWith(words(cmd), last) {
			if !slices.Contains(taken, word) {
				found = append(found, before+word)
			}
		}
		return found, cobra.ShellCompDirectiveNoFileComp
	}
}

func catalog(ctx context.Context, f *factory.Factory) []string {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	regions, err := f.Catalog(ctx, nil)
	if err != nil {
		return nil
	}
	names := make([]string, len(regions))
	for i, region := range regions {
		names[i] = region.Name()
	}
	return names
}

// Rules completes POLICY/RULE.
func Rules(f *factory.Factory) cobra.CompletionFunc {
	return func(cmd *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
		var names []string
		for _, resource := range Resources(cmd.Context(), f, fleet.KindResidencyPolicy) {
			policy, err := fleet.SpecOf[fleet.ResidencyPolicySpec](resource)
			if err != nil {
				continue // what cannot be read cannot be completed
			}
			for _, rule := range policy.Rules {
				names = append(names, resource.Metadata.Name+"/"+rule.Name)
			}
		}
		return startingWith(names, typed), cobra.ShellCompDirectiveNoFileComp
	}
}
