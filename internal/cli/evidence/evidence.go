package evidence

import (
	"github.com/spf13/cobra"

	"github.com/meridian-fleet/meridian/internal/cli/factory"
	"github.com/meridian-fleet/meridian/internal/cli/usage"
)

// New makes the commands of evidence.
func New(f *factory.Factory) *cobra.Command {
	return usage.Group("evidence", "Check the tamper-evident log and auditors' files", NewVerify(f, Verify))
}
