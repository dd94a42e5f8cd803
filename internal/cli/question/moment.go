package question

import (
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/types/known/timestamppb"

	fleetv1 "github.com/meridian-fleet/meridian/api/fleet/v1"
	"github.com/meridian-fleet/meridian/internal/cli/failure"
	"github.com/meridian-fleet/meridian/internal/cli/output"
	"github.com/meridian-fleet/meridian/internal/cli/usage"
	"github.com/meridian-fleet/meridian/internal/fleet"
)

// Moment is what an answer is to be about, as flags say it. Empty means now,
// and all that is recorded.
type Moment struct {
	AsOf    string
	KnownAt string
}

// AddFlags adds --as-of and --known-at.
func (m *Moment) AddFlags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&m.AsOf, "as-of", "", "what was law and fact then: a day (its beginning in UTC) or RFC 3339 (default: now)")
	cmd.Flags().StringVar(&m.KnownAt, "known-at", "", "only what was recorded by then: a day or RFC 3339 (default: all there is)")
	usage.Filled(cmd, "as-of", "known-at")
	_ = cmd.RegisterFlagCompletionFunc("as-of", cobra.NoFileCompletions)
	_ = cmd.RegisterFlagCompletionFunc("known-at", cobra.NoFileCompletions)
}

// Read gives the instants, zero where a flag is not given.
func (m *Moment) Read(now time.Time) (fleet.Moment, error) {
	var moment fleet.Moment
	for _, part := range []struct {
		flag, text string
		to         *time.Time
	}{{"--as-of", m.AsOf, &moment.AsOf}, {"--known-at", m.KnownAt, &moment.KnownAt}} {
		if part.text == "" {
			continue
		}
		at, err := usage.Instant(part.flag, part.text, now)
		if err != nil {
			return fleet.Moment{}, err
		}
		*part.to = at
	}
	if moment.KnownAt.After(now) {
		return fleet.Moment{}, failure.Usagef("%s is yet to come: nobody knows what will be recorded by then", m.KnownAt).At(fleet.Position{}, "--known-at").
			Advise("for what will be law then, use --as-of alone")
	}
	return moment, nil
}

// Message is the moment for the API.
func (m *Moment) Message(now time.Time) (*fleetv1.Moment, error) {
	moment, err := m.Read(now)
	if err != nil {
		return nil, err
	}
	message := &fleetv1.Moment{}
	if !moment.AsOf.IsZero() {
		message.AsOf = timestamppb.New(moment.AsOf)
	}
	if !moment.KnownAt.IsZero() {
		message.KnownAt = timestamppb.New(moment.KnownAt)
	}
	return message, nil
}

// Heading says what an answer is about, empty when it is about now.
func Heading(moment *fleetv1.Moment) string {
	asOf, knownAt := "", ""
	if moment.GetAsOf() != nil {
		at := moment.GetAsOf().AsTime()
		asOf = "As of " + output.Instant(&at)
	}
	if moment.GetKnownAt() != nil {
		at := moment.GetKnownAt().AsTime()
		knownAt = "with what was recorded by " + output.Instant(&at)
	}
	switch {
	case asOf == "" && knownAt == "":
		return ""
	case knownAt == "":
		return asOf + ":"
	case asOf == "":
		return "Now, " + knownAt + ":"
	}
	return asOf + ", " + knownAt + ":"
}
