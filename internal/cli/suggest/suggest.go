package suggest

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/agnivade/levenshtein"

	"github.com/meridian-fleet/meridian/internal/cli/complete"
	"github.com/meridian-fleet/meridian/internal/cli/factory"
	"github.com/meridian-fleet/meridian/internal/cli/terminal"
	"github.com/meridian-fleet/meridian/internal/fleet"
)

// Nearest is the known word most like the given one, empty when none is like
// it: at most a third of it differs.
func Nearest(given string, known []string) string {
	best, least := "", max(1, len(given)/3)+1
	for _, word := range known {
		if distance := levenshtein.ComputeDistance(strings.ToLower(given), strings.ToLower(word)); distance < least {
			best, least = word, distance
		}
	}
	return best
}

// Say tells people, where scripts do not take it for an answer, which of the
// known words may have been meant by one that is not among them. A word is
// shown as typed makes it.
func Say(out *terminal.Screen, given string, known []string, typed func(word string) string) {
	if nearest := Nearest(given, known); nearest != "" && nearest != given {
		fmt.Fprintf(out, "There is no %s; did you mean %s?\n", terminal.Clean(typed(given)), terminal.Clean(typed(nearest)))
	}
}

// Names are those of the resources of a kind; none when nobody answers in
// time.
func Names(ctx context.Context, f *factory.Factory, kind fleet.Kind) []string {
	var names []string
	for _, resource := range complete.Resources(ctx, f, kind) {
		names = append(names, resource.Metadata.Name)
	}
	return names
}

// Named adds to an error that a resource is not there the name that may have
// been meant, or how to see those there are.
func Named(ctx context.Context, f *factory.Factory, err error, kind fleet.Kind, name string) error {
	var fault *fleet.Error
	if !errors.Is(err, fleet.ErrNotFound) || !errors.As(err, &fault) || fault.Hint != "" {
		return err
	}
	hint := fmt.Sprintf("see `fleetctl get %ss`", strings.ToLower(string(kind)))
	if nearest := Nearest(name, Names(ctx, f, kind)); nearest != "" && nearest != name {
		hint = fmt.Sprintf("did you mean %s?", nearest)
	}
	advised := *fault
	return advised.Advise("%s", hint)
}
