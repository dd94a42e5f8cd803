package policy

import (
	"github.com/spf13/cobra"

	"github.com/meridian-fleet/meridian/internal/cli/factory"
	"github.com/meridian-fleet/meridian/internal/cli/residency"
	"github.com/meridian-fleet/meridian/internal/cli/usage"
)

// New makes the commands of policies.
func New(f *factory.Factory) *cobra.Command {
	return usage.Group("policy", "Check, compare, test and compile residency policies",
		NewLint(f, Lint), NewDiff(f, Diff), residency.NewTest(f, "policy", residency.Test), NewCompile(f, Compile), NewList(f, List))
}
