package residency

import (
	"context"
	"fmt"
	"slices"

	"github.com/meridian-fleet/meridian/internal/cli/question"
	"github.com/meridian-fleet/meridian/internal/cli/suggest"
	"github.com/meridian-fleet/meridian/internal/cli/terminal"
	"github.com/meridian-fleet/meridian/internal/fleet"
)

// unknownKind is what kind of name a built-in rule does not know.
var unknownKind = map[string]fleet.Kind{
	fleet.RuleUnknownDataset: fleet.KindDataset, fleet.RuleUnknownWorkload: fleet.KindWorkload, fleet.RuleUnknownClass: fleet.KindDataClass,
	fleet.RuleUnknownRegion: fleet.KindRegion,
}

// advise says which names may have been meant instead of those that answers
// did not know.
func (o *office) advise(ctx context.Context, verdicts []fleet.Verdict) {
	for _, unknown := range unknownNames(verdicts) {
		suggest.Say(o.Streams.Err, unknown.Name, o.known(ctx, unknown.Kind), func(name string) string {
			return typed(fleet.Ref{Kind: unknown.Kind, Name: name})
		})
	}
}

// adviseRegions does the same for regions that no catalog has.
func (o *office) adviseRegions(ctx context.Context, regions []string) {
	if len(regions) == 0 {
		return
	}
	known := o.known(ctx, fleet.KindRegion)
	for _, region := range regions {
		nearest := suggest.Nearest(region, known)
		if nearest != "" && !slices.Contains(known, region) {
			fmt.Fprintf(o.Streams.Err, "There is no place %s; did you mean %s?\n", terminal.Clean(region), terminal.Clean(nearest))
		}
	}
}

// known are the names there are of a kind; the regions are the catalog's.
func (o *office) known(ctx context.Context, kind fleet.Kind) []string {
	if kind != fleet.KindRegion {
		return suggest.Names(ctx, o.Factory, kind)
	}
	catalog, err := o.Catalog(ctx, nil)
	if err != nil {
		return nil
	}
	names := make([]string, len(catalog))
	for i, region := range catalog {
		names[i] = region.Name()
	}
	return names
}

// unknownNames are the names that verdicts did not know, each once.
func unknownNames(verdicts []fleet.Verdict) []fleet.Ref {
	var names []fleet.Ref
	for _, answer := range verdicts {
		for _, finding := range answer.Findings {
			kind, unknown := unknownKind[finding.Rule]
			if finding.Policy != fleet.BuiltInPolicy || !unknown {
				continue
			}
			ref := fleet.Ref{Kind: kind, Name: nameIn(kind, finding, answer)}
			if ref.Name != "" && !slices.Contains(names, ref) {
				names = append(names, ref)
			}
		}
	}
	return names
}

func nameIn(kind fleet.Kind, finding fleet.Finding, answer fleet.Verdict) string {
	switch kind {
	case fleet.KindRegion:
		if finding.Region != "" {
			return finding.Region
		}
		return answer.Region
	case fleet.KindDataClass:
		return finding.Class
	case fleet.KindDataset:
		if finding.Dataset != "" {
			return finding.Dataset
		}
	}
	return answer.Subject.Name
}

// typed is a name as people type it.
func typed(ref fleet.Ref) string {
	switch ref.Kind {
	case fleet.KindRegion:
		return "place " + ref.Name
	case fleet.KindDataClass:
		return question.Subject{Classes: []string{ref.Name}}.String()
	}
	return question.Subject{Ref: ref}.String()
}
