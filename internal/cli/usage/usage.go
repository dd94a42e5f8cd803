package usage

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/meridian-fleet/meridian/internal/cli/failure"
	"github.com/meridian-fleet/meridian/internal/fleet"
)

// Unlimited is a maximum for Args.
const Unlimited = -1

// Args checks the number of arguments.
func Args(atLeast, atMost int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) >= atLeast && (atMost == Unlimited || len(args) <= atMost) {
			return nil
		}
		return failure.Usagef("want `%s`, got %s", Line(cmd), counted(len(args))).
			Advise("see `%s --help`", cmd.CommandPath())
	}
}

func counted(arguments int) string {
	switch arguments {
	case 0:
		return "no argument"
	case 1:
		return "1 argument"
	}
	return fmt.Sprintf("%d arguments", arguments)
}

// Line is how a command is called, without its flags.
func Line(cmd *cobra.Command) string {
	return strings.TrimSuffix(cmd.UseLine(), " [flags]")
}

// Filled refuses flags that are given empty, as by a script whose variable is
// not set: without them another question would be answered.
func Filled(cmd *cobra.Command, names ...string) {
	for _, name := range names {
		flag := cmd.Flags().Lookup(name)
		flag.Value = filled{flag.Value}
	}
}

type filled struct{ pflag.Value }

// Set takes a value that says something.
func (f filled) Set(text string) error {
	if strings.TrimSpace(text) == "" {
		return errors.New("it is empty; give a value, or leave the flag out")
	}
	return f.Value.Set(text)
}

// Group makes a command of a noun: it has verbs, and does nothing itself.
func Group(noun, short string, verbs ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{
		Use:   noun + " VERB",
		Short: short,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cmd.Help()
			}
			return UnknownVerb(cmd, args[0])
		},
	}
	cmd.AddCommand(verbs...)
	return cmd
}

// UnknownVerb is the error for a word that is no command here.
func UnknownVerb(cmd *cobra.Command, word string) error {
	err := failure.Usagef("there is no command `%s %s`", cmd.CommandPath(), word)
	cmd.SuggestionsMinimumDistance = 2
	if close := cmd.SuggestionsFor(word); len(close) > 0 {
		return err.Advise("did you mean `%s %s`?", cmd.CommandPath(), close[0])
	}
	return err.Advise("see `%s --help`", cmd.CommandPath())
}

// Labels reads selectors "a=b" and "a=b,c=d".
func Labels(flag string, selectors []string) (map[string]string, error) {
	labels := map[string]string{}
	for _, selector := range selectors {
		for _, pair := range strings.Split(selector, ",") {
			key, value, ok := strings.Cut(pair, "=")
			if !ok || key == "" || strings.ContainsAny(key, "! ") {
				return nil, failure.Usagef("want label=value, got %q", pair).At(fleet.Position{}, flag)
			}
			if before, twice := labels[key]; twice && before != value {
				return nil, failure.Usagef("label %s is wanted to be both %q and %q", key, before, value).At(fleet.Position{}, flag)
			}
			labels[key] = value
		}
	}
	return labels, nil
}

// Instant reads a point in time: RFC 3339, a day (its start in UTC), or how
// long ago ("90m").
func Instant(flag, text string, now time.Time) (time.Time, error) {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04:05Z", "2006-01-02"} {
		if at, err := time.Parse(layout, text); err == nil {
			return at, nil
		}
	}
	if ago, err := time.ParseDuration(text); err == nil && ago >= 0 {
		return now.Add(-ago), nil
	}
	return time.Time{}, failure.Usagef("want a time, got %q", text).At(fleet.Position{}, flag).
		Advise("such as 2026-03-31T12:00:00Z, 2026-03-31, or 90m for an hour and a half ago")
}
