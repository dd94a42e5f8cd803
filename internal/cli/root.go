package cli

import (
	"github.com/spf13/cobra"

	"github.com/meridian-fleet/meridian/internal/cli/cluster"
	"github.com/meridian-fleet/meridian/internal/cli/complete"
	"github.com/meridian-fleet/meridian/internal/cli/drift"
	"github.com/meridian-fleet/meridian/internal/cli/evidence"
	"github.com/meridian-fleet/meridian/internal/cli/exception"
	"github.com/meridian-fleet/meridian/internal/cli/factory"
	"github.com/meridian-fleet/meridian/internal/cli/failure"
	"github.com/meridian-fleet/meridian/internal/cli/output"
	"github.com/meridian-fleet/meridian/internal/cli/policy"
	"github.com/meridian-fleet/meridian/internal/cli/region"
	"github.com/meridian-fleet/meridian/internal/cli/residency"
	"github.com/meridian-fleet/meridian/internal/cli/resource"
	"github.com/meridian-fleet/meridian/internal/cli/rollout"
	"github.com/meridian-fleet/meridian/internal/cli/usage"
	"github.com/meridian-fleet/meridian/internal/cli/version"
	"github.com/meridian-fleet/meridian/internal/cli/whoami"
)

// New makes the command fleetctl.
func New(f *factory.Factory) *cobra.Command {
	root := &cobra.Command{
		Use:   "fleetctl",
		Short: "Keep one Kubernetes platform alive in many regions",
		Long: `fleetctl steers a Meridian fleet: it declares regions, clusters and baselines,
onboards regions, rolls baselines out wave by wave, finds and heals drift, and
answers where data and workloads may be, are and were.`,
		Example: `  fleetctl apply -f fleet/
  fleetctl region onboard --all --wait
  fleetctl rollout baseline platform@1.0.0 --watch
  fleetctl residency check dataset/crm --facet storage --region aws/eu-central-1
  fleetctl get clusters`,
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usage.UnknownVerb(cmd, args[0])
			}
			return cmd.Help()
		},
		Args: cobra.ArbitraryArgs,
		PersistentPreRun: func(*cobra.Command, []string) {
			if f.NoColor {
				f.Streams.Out.NoColor()
				f.Streams.Err.NoColor()
			}
		},
	}
	root.SetIn(f.Streams.In)
	root.SetOut(f.Streams.Out)
	root.SetErr(f.Streams.Err)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return failure.Usagef("%w", err).Advise("see `%s --help`", cmd.CommandPath())
	})
	globalFlags(root, f)
	addCommands(root, f)
	return root
}

func globalFlags(root *cobra.Command, f *factory.Factory) {
	flags := root.PersistentFlags()
	flags.VarP(&f.Output, "output", "o", "table, wide, json, yaml or name")
	flags.StringVar(&f.Connection.ConfigFile, "config", "", "client configuration (default: $MERIDIAN_CONFIG, else meridian/client.json in the user's configuration folder)")
	flags.StringVar(&f.Connection.Server, "server", "", "address of fleetd, instead of the configuration's")
	flags.StringVar(&f.Connection.TokenFile, "token-file", "", "file with the token (default: $MERIDIAN_TOKEN, else the configuration's)")
	flags.StringVar(&f.Connection.User, "user", "", "act as this user, with the token that fleetd keeps beside its data (also: $MERIDIAN_USER)")
	flags.BoolVar(&f.NoColor, "no-color", false, "no colours (also: $NO_COLOR)")
	_ = root.RegisterFlagCompletionFunc("output", complete.Words(output.Formats...))
	_ = root.RegisterFlagCompletionFunc("server", cobra.NoFileCompletions)
	_ = root.RegisterFlagCompletionFunc("user", complete.Users(f))
}

func addCommands(root *cobra.Command, f *factory.Factory) {
	const everyKind, nouns, lawful = "kinds", "nouns", "lawful"
	root.AddGroup(&cobra.Group{ID: nouns, Title: "Operations:"}, &cobra.Group{ID: lawful, Title: "Where data may be:"},
		&cobra.Group{ID: everyKind, Title: "Resources of every kind:"})
	for _, command := range []*cobra.Command{region.New(f), rollout.New(f), drift.New(f), cluster.New(f)} {
		command.GroupID = nouns
		root.AddCommand(command)
	}
	for _, command := range []*cobra.Command{residency.New(f), policy.New(f), exception.New(f), evidence.New(f)} {
		command.GroupID = lawful
		root.AddCommand(command)
	}
	for _, command := range []*cobra.Command{
		resource.NewApply(f, resource.Apply), resource.NewGet(f, resource.Get), resource.NewDescribe(f, resource.Describe),
		resource.NewHistory(f, resource.History), resource.NewDelete(f, resource.Delete),
	} {
		command.GroupID = everyKind
		root.AddCommand(command)
	}
	root.AddCommand(version.New(f, version.Run), whoami.New(f, whoami.Run), exitCodes())
	root.CompletionOptions.SetDefaultShellCompDirective(cobra.ShellCompDirectiveNoFileComp)
}

// exitCodes is a help topic: a command that only has a text.
func exitCodes() *cobra.Command {
	return &cobra.Command{
		Use:   "exit-codes",
		Short: "What fleetctl's exit codes mean",
		Long:  "fleetctl ends with one of these codes. They are an interface: their meaning does\nnot change.\n\n" + failure.Table(),
	}
}
