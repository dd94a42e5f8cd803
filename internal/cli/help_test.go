package cli_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/meridian-fleet/meridian/internal/cli"
	"github.com/meridian-fleet/meridian/internal/cli/factory"
	"github.com/meridian-fleet/meridian/internal/cli/failure"
)

func everyCommand(t *testing.T) []*cobra.Command {
	t.Helper()
	var all []*cobra.Command
	var walk func(*cobra.Command)
	walk = func(cmd *cobra.Command) {
		all = append(all, cmd)
		for _, below := range cmd.Commands() {
			walk(below)
		}
	}
	walk(cli.New(factory.New()))
	return all
}

// Every example in a help text is a command line that fleetctl takes.
func TestExamplesParse(t *testing.T) {
	t.Parallel()
	examples := 0
	for _, cmd := range everyCommand(t) {
		if cmd.RunE != nil && !cmd.HasSubCommands() && cmd.Name() != "help" && cmd.Example == "" {
			t.Errorf("%s has no example", cmd.CommandPath())
		}
		for _, example := range strings.Split(cmd.Example, "\n") {
			if strings.TrimSpace(example) == "" {
				continue
			}
			examples++
			if err := parse(words(example)); err != nil {
				t.Errorf("%s: %v", example, err)
			}
		}
	}
	if examples < 20 {
		t.Errorf("found only %d examples", examples)
	}
}

func TestWrongExamplesWouldBeFound(t *testing.T) {
	t.Parallel()
	for _, wrong := range []string{"fleetctl get", "fleetctl rollout baseline", "fleetctl get regions --nope", "fleetctl region onbord a", "kubectl get pods"} {
		if parse(words(wrong)) == nil {
			t.Errorf("%q was taken", wrong)
		}
	}
}

func parse(line []string) error {
	if line[0] != "fleetctl" {
		return errors.New("not a fleetctl command")
	}
	cmd, rest, err := cli.New(factory.New()).Find(line[1:])
	if err != nil {
		return err
	}
	if cmd.HasSubCommands() {
		return errors.New("no such command")
	}
	if err := cmd.ParseFlags(rest); err != nil {
		return err
	}
	return cmd.ValidateArgs(cmd.Flags().Args())
}

// words splits a line as a shell does: quotes, and redirections that fleetctl
// does not see.
func words(line string) []string {
	var all []string
	var word strings.Builder
	quoted, started := false, false
	for _, r := range line + " " {
		switch {
		case r == '"':
			quoted, started = !quoted, true
		case r == ' ' && !quoted:
			if started {
				all = append(all, word.String())
			}
			word.Reset()
			started = false
		case (r == '<' || r == '>') && !quoted:
			return all
		default:
			word.WriteRune(r)
			started = true
		}
	}
	return all
}

func TestEveryCommandAndFlagIsExplained(t *testing.T) {
	t.Parallel()
	for _, cmd := range everyCommand(t) {
		if cmd.Short == "" {
			t.Errorf("%s has no short help", cmd.CommandPath())
		}
		cmd.Flags().VisitAll(func(flag *pflag.Flag) {
			if flag.Usage == "" {
				t.Errorf("%s --%s is not explained", cmd.CommandPath(), flag.Name)
			}
		})
	}
}

// The documentation has each exit code with its meaning.
func TestExitCodesAreDocumented(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/exit-codes.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(strings.TrimSpace(failure.Table()), "\n") {
		code, meaning, _ := strings.Cut(strings.TrimSpace(line), "  ")
		if row := "| " + code + " | " + meaning; !strings.Contains(string(page), row) {
			t.Errorf("docs/exit-codes.md has no row %q", row)
		}
	}
}
