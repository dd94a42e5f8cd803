package residency

import (
	"github.com/spf13/cobra"

	"github.com/meridian-fleet/meridian/internal/cli/factory"
	"github.com/meridian-fleet/meridian/internal/cli/usage"
)

// New makes the commands of residency.
func New(f *factory.Factory) *cobra.Command {
	cmd := usage.Group("residency", "Ask where data and workloads may be, are and were",
		NewCheck(f, Check), NewWhere(f, Where), NewExplain(f, Explain), NewList(f, List), NewHistory(f, History),
		NewAudit(f, Audit), NewReport(f, Report), NewTest(f, "residency", Test), NewFacts(f, Facts), NewRegions(f, Regions))
	cmd.Aliases = []string{"res"}
	return cmd
}
