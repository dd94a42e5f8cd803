package compliance

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/inventory"
)

// The kinds of events.
const (
	eventDeclared  = "declared"
	eventChanged   = "changed"
	eventPlaced    = "placed"
	eventMoved     = "moved"
	eventLeft      = "left"
	eventPolicy    = "policy"
	eventException = "exception"
	eventDecision  = "decision"
)

// History is what happened to a dataset, the earliest first: where it was,
// since when, under which rules, exceptions and decisions. From is zero of what
// was true from the beginning. Things to come are left out when the moment has
// an AsOf.
func (o *Office) History(ctx context.Context, moment fleet.Moment, dataset string) ([]fleet.ResidencyEvent, error) {
	v, err := o.open(ctx, moment)
	if err != nil {
		return nil, err
	}
	h := &historian{view: v, dataset: fleet.Ref{Kind: fleet.KindDataset, Name: dataset}}
	if len(v.versions(h.dataset)) == 0 && len(v.ledger.about(h.dataset)) == 0 {
		return nil, fleet.Errorf(fleet.ErrNotFound, "not in the inventory%s", v.when()).On(h.dataset.String())
	}
	h.document()
	for _, ref := range v.ledger.about(h.dataset) {
		switch ref.Kind {
		case fleet.KindPlacement:
			h.stays(ref)
		case fleet.KindException:
			h.exception(ref)
		}
	}
	h.rules()
	if err := h.decisions(ctx, o.config.Store); err != nil {
		return nil, err
	}
	return o.judged(ctx, moment, h.dataset, h.sorted(moment.AsOf))
}

// historian gathers the events of a dataset.
type historian struct {
	*view
	dataset fleet.Ref
	entries []*entry
}

// entry is an event in the making.
type entry struct {
	fleet.ResidencyEvent
	judge time.Time // when the rules are asked what they say of its place; zero: not at all
}

// note adds an event that a version of a document tells of.
func (h *historian) note(told *version, from time.Time, kind, text string) *entry {
	noted := &entry{ResidencyEvent: fleet.ResidencyEvent{
		From: from.UTC(), RecordedAt: told.recorded, RecordedBy: told.actor, Kind: kind, Text: text, Ref: told.ref, Revision: told.revision,
	}}
	h.entries = append(h.entries, noted)
	return noted
}

func (h *historian) sorted(until time.Time) []*entry {
	entries := slices.DeleteFunc(h.entries, func(one *entry) bool { return !until.IsZero() && one.From.After(until) })
	slices.SortStableFunc(entries, func(a, b *entry) int {
		return cmp.Or(a.From.Compare(b.From), cmp.Compare(a.Revision, b.Revision))
	})
	return entries
}

// judged adds to each arrival at a place what the rules said of it then.
func (o *Office) judged(ctx context.Context, moment fleet.Moment, dataset fleet.Ref, entries []*entry) ([]fleet.ResidencyEvent, error) {
	events := make([]fleet.ResidencyEvent, 0, len(entries))
	for _, one := range entries {
		if !one.judge.IsZero() {
			v, err := o.open(ctx, fleet.Moment{AsOf: one.judge, KnownAt: moment.KnownAt})
			if err != nil {
				return nil, err
			}
			var verdicts []fleet.Verdict
			for _, place := range v.placesOf(dataset) {
				if place.Region == one.Region {
					verdicts = append(verdicts, v.judgePlace(place)...)
				}
			}
			one.Verdict = worst(verdicts)
		}
		events = append(events, one.ResidencyEvent)
	}
	return events, nil
}

// worst is the first denial, else the first verdict.
func worst(verdicts []fleet.Verdict) *fleet.Verdict {
	if len(verdicts) == 0 {
		return nil
	}
	if denied := slices.IndexFunc(verdicts, func(verdict fleet.Verdict) bool { return !verdict.Allowed }); denied >= 0 {
		return &verdicts[denied]
	}
	return &verdicts[0]
}

// decisions adds the recorded verdicts about the dataset, its own and those of
// workloads that touch it.
func (h *historian) decisions(ctx context.Context, store inventory.Store) error {
	quoted, err := json.Marshal(h.dataset.Name)
	if err != nil {
		return fleet.Errorf(fleet.ErrInternal, "encode a name: %w", err)
	}
	return eachDecision(ctx, store, h.known, func(change inventory.RawChange) {
		if !bytes.Contains(change.Document, quoted) {
			return
		}
		told := read(change, true)
		var resource fleet.Resource
		if json.Unmarshal(change.Document, &resource) != nil {
			h.note(told, told.recorded, eventDecision, "a decision that cannot be read")
			return
		}
		spec, err := fleet.SpecOf[fleet.DecisionSpec](resource)
		if err != nil {
			h.note(told, told.recorded, eventDecision, "a decision that cannot be read")
			return
		}
		h.decision(told, spec)
	})
}

func (h *historian) decision(told *version, spec fleet.DecisionSpec) {
	var about []fleet.Verdict
	for _, verdict := range spec.Verdicts {
		if verdict.Subject == h.dataset || slices.ContainsFunc(verdict.Findings, func(finding fleet.Finding) bool { return finding.Dataset == h.dataset.Name }) {
			about = append(about, verdict)
		}
	}
	if verdict := worst(about); verdict != nil {
		event := h.note(told, spec.At, eventDecision, decided(spec.Act, *verdict))
		event.Region, event.Verdict = verdict.Region, verdict
	}
}

// decided says what a decision was about and how it went.
func decided(act fleet.Act, verdict fleet.Verdict) string {
	what := string(verdict.Facet)
	if what == "" {
		what = "all it does"
	}
	outcome := "allowed"
	if !verdict.Allowed {
		outcome = "denied"
	}
	text := what + " in " + verdict.Region + " was " + outcome + " before " + act.Kind
	if act.Operation != "" {
		text += " (" + act.Operation + ")"
	}
	return text
}

// eachDecision visits the decisions recorded by an instant, all when it is
// zero, in order.
func eachDecision(ctx context.Context, store inventory.Store, known time.Time, visit func(inventory.RawChange)) error {
	query := inventory.ChangeQuery{Kinds: []fleet.Kind{fleet.KindDecision}, Until: known, Limit: page}
	for {
		changes, err := store.Changes(ctx, query)
		if err != nil {
			return err
		}
		for _, change := range changes {
			visit(change)
		}
		if len(changes) < page {
			return nil
		}
		query.After = changes[len(changes)-1].Revision
	}
}
