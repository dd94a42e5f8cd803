package exception

import (
	"fmt"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/meridian-fleet/meridian/internal/cli/factory"
	"github.com/meridian-fleet/meridian/internal/cli/output"
	"github.com/meridian-fleet/meridian/internal/cli/terminal"
	"github.com/meridian-fleet/meridian/internal/cli/usage"
)

// New makes the commands of exceptions.
func New(f *factory.Factory) *cobra.Command {
	return usage.Group("exception", "Ask for exceptions from rules, approve and revoke them",
		NewRequest(f, Request), NewApprove(f, Approve), NewRevoke(f, Revoke), NewList(f, List), NewShow(f, Show))
}

// tell prints what became of an exception.
func tell(f *factory.Factory, document *structpb.Struct) error {
	if !f.Output.Tabular() {
		return output.Document(f.Streams.Out, f.Output, document)
	}
	read, err := decode(document)
	if err != nil {
		return err
	}
	state, err := read.state(f.Now())
	if err != nil {
		return err
	}
	fmt.Fprintf(f.Streams.Out, "exception/%s: %s\n", terminal.Clean(read.name), state)
	return nil
}
