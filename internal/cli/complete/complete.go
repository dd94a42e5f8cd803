package complete

import (
	"context"
	"slices"
	"strings"
	"time"

	"connectrpc.com/connect"
	"github.com/spf13/cobra"

	fleetv1 "github.com/meridian-fleet/meridian/api/fleet/v1"
	"github.com/meridian-fleet/meridian/internal/cli/connection"
	"github.com/meridian-fleet/meridian/internal/cli/factory"
	"github.com/meridian-fleet/meridian/internal/cli/kinds"
	"github.com/meridian-fleet/meridian/internal/cli/output"
	"github.com/meridian-fleet/meridian/internal/fleet"
)

// patience bounds a look-up: a person waits at the prompt.
const patience = 2 * time.Second

// Words completes with fixed words.
func Words(words ...string) cobra.CompletionFunc {
	return cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp)
}

// Names completes any number of names of a kind, none twice.
func Names(f *factory.Factory, kind fleet.Kind) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		return lookup(cmd.Context(), f, kind, args, typed), cobra.ShellCompDirectiveNoFileComp
	}
}

// Name completes one name of a kind.
func Name(f *factory.Factory, kind fleet.Kind) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return lookup(cmd.Context(), f, kind, nil, typed), cobra.ShellCompDirectiveNoFileComp
	}
}

// KindAndNames completes a kind, then at most a number of its names.
func KindAndNames(f *factory.Factory, atMost int) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		if len(args) == 0 {
			return startingWith(kinds.Plurals(), typed), cobra.ShellCompDirectiveNoFileComp
		}
		kind, err := kinds.Lookup(args[0])
		if err != nil || len(args) > atMost {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return lookup(cmd.Context(), f, kind.Kind, args[1:], typed), cobra.ShellCompDirectiveNoFileComp
	}
}

func lookup(ctx context.Context, f *factory.Factory, kind fleet.Kind, taken []string, typed string) []string {
	var names []string
	for _, resource := range Resources(ctx, f, kind) {
		if !slices.Contains(taken, resource.Metadata.Name) {
			names = append(names, resource.Metadata.Name)
		}
	}
	return startingWith(names, typed)
}

// Resources are those of a kind, none when nobody answers in time: for help
// that is not worth an error.
func Resources(ctx context.Context, f *factory.Factory, kind fleet.Kind) []fleet.Resource {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	client, err := f.Client()
	if err != nil {
		return nil
	}
	response, err := client.List(ctx, connect.NewRequest(&fleetv1.ListRequest{Kind: string(kind)}))
	if err != nil {
		return nil
	}
	found, err := output.Resources(response.Msg.GetDocuments())
	if err != nil {
		return nil
	}
	return found
}

func startingWith(words []string, typed string) []string {
	var matching []string
	for _, word := range words {
		if strings.HasPrefix(word, typed) {
			matching = append(matching, word)
		}
	}
	return matching
}

// Flag completes a flag's value with names of a kind.
func Flag(f *factory.Factory, kind fleet.Kind) cobra.CompletionFunc {
	return func(cmd *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
		return lookup(cmd.Context(), f, kind, nil, typed), cobra.ShellCompDirectiveNoFileComp
	}
}

// Users completes the users whose tokens lie beside the configuration.
func Users(f *factory.Factory) cobra.CompletionFunc {
	return func(_ *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
		flags := f.Connection
		flags.User, flags.TokenFile = "", ""
		config, err := connection.Load(flags, func(name string) string {
			if name == "MERIDIAN_USER" {
				return "" // what is typed takes its place
			}
			return f.Getenv(name)
		})
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return startingWith(connection.Users(config.Users), typed), cobra.ShellCompDirectiveNoFileComp
	}
}
