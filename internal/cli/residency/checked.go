package residency

import (
	"fmt"
	"strings"

	"google.golang.org/protobuf/types/known/structpb"

	"github.com/meridian-fleet/meridian/internal/cli/failure"
	"github.com/meridian-fleet/meridian/internal/cli/output"
	"github.com/meridian-fleet/meridian/internal/cli/question"
	"github.com/meridian-fleet/meridian/internal/cli/terminal"
	"github.com/meridian-fleet/meridian/internal/cli/verdict"
	"github.com/meridian-fleet/meridian/internal/fleet"
)

// subjectAnswers are all that was answered about one subject.
type subjectAnswers struct {
	subject question.Subject
	answers
}

// conclude chooses the exit code.
func conclude(all []subjectAnswers) error {
	for _, one := range all {
		for _, verdict := range one.verdicts {
			if !verdict.Allowed {
				return &failure.Exit{Code: failure.NotLawful}
			}
		}
	}
	return nil
}

func (o *CheckOptions) print(office *office, catalog []fleet.RegionFacts, all []subjectAnswers) error {
	atlas, err := office.atlasOf(catalog)
	if err != nil {
		return err
	}
	switch o.Output {
	case output.JSON, output.YAML:
		var documents []*structpb.Struct
		for _, one := range all {
			documents = append(documents, one.documents...)
		}
		return output.Value(o.Streams.Out, o.Output, output.List("VerdictList", output.Maps(documents)))
	case output.Name:
		for _, region := range everywhereAllowed(all) {
			fmt.Fprintln(o.Streams.Out, output.NameOf(string(fleet.KindRegion), region))
		}
		return nil
	}
	heading(o.Streams.Out, office)
	if len(all) == 1 && len(all[0].verdicts) == 1 {
		atlas.Write(o.Streams.Out, all[0].verdicts[0])
		return nil
	}
	if o.Output == output.Wide {
		return wide(atlas, all).Write(o.Streams.Out, "")
	}
	return o.matrices(atlas, all)
}

// heading says what an answer is about when that is not now.
func heading(screen *terminal.Screen, office *office) {
	if text := question.Heading(office.moment); text != "" {
		fmt.Fprintln(screen, text)
	}
}

// everywhereAllowed lists the regions where all that was asked is allowed.
func everywhereAllowed(all []subjectAnswers) []string {
	denied := map[string]bool{}
	var regions []string
	for _, one := range all {
		for _, verdict := range one.verdicts {
			regions = append(regions, verdict.Region)
			denied[verdict.Region] = denied[verdict.Region] || !verdict.Allowed
		}
	}
	var allowed []string
	for _, region := range question.Unique(regions) {
		if !denied[region] {
			allowed = append(allowed, region)
		}
	}
	return allowed
}

func (o *CheckOptions) matrices(atlas verdict.Atlas, all []subjectAnswers) error {
	for i, one := range all {
		if i > 0 {
			fmt.Fprintln(o.Streams.Out)
		}
		fmt.Fprintf(o.Streams.Out, "%s: %s\n", terminal.Clean(one.subject.String()), tally(one.verdicts))
		if err := atlas.Matrix(o.Streams.Out, one.verdicts); err != nil {
			return err
		}
		var obligations []fleet.DueObligation
		for _, verdict := range one.verdicts {
			if verdict.Allowed {
				obligations = append(obligations, verdict.Obligations...)
			}
		}
		verdict.Obligations(o.Streams.Out, obligations, true)
	}
	return nil
}

// tally counts answers in words.
func tally(verdicts []fleet.Verdict) string {
	allowed, excepted := 0, 0
	for _, verdict := range verdicts {
		if verdict.Allowed {
			allowed++
			if len(verdict.Exceptions) > 0 {
				excepted++
			}
		}
	}
	text := fmt.Sprintf("%d of %s allowed", allowed, verdict.Counted(len(verdicts), "question"))
	if excepted > 0 {
		text += fmt.Sprintf(", %d of them only because of an exception", excepted)
	}
	return text
}

// wide has a row for each question.
func wide(atlas verdict.Atlas, all []subjectAnswers) *output.Grid {
	grid := output.NewGrid("SUBJECT", "FACET", "REGION", "PLACE", "ANSWER", "RULES", "OBLIGATIONS", "EXCEPTIONS")
	for _, one := range all {
		for _, answer := range one.verdicts {
			var obligations, exceptions []string
			for _, obligation := range answer.Obligations {
				obligations = append(obligations, obligation.Policy+"/"+obligation.Rule)
			}
			for _, exception := range answer.Exceptions {
				exceptions = append(exceptions, exception.Name)
			}
			grid.Row(one.subject.String(), string(answer.Facet), answer.Region, atlas.Where(answer.Region), verdict.Cell(answer),
				strings.Join(verdict.Deciding(answer), ","), strings.Join(question.Unique(obligations), ","), strings.Join(question.Unique(exceptions), ","))
		}
	}
	return grid
}
