package compliance

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/residency"
)

// view is the fleet at an instant, as it was known at another. It changes no
// more and is safe for concurrent use.
type view struct {
	ledger   *ledger
	revision int64     // nothing recorded later is seen
	at       time.Time // what was true then
	known    time.Time // what was recorded by then; zero: all up to revision
	assumed  map[fleet.Ref][]*version

	catalog  *residency.Catalog
	places   map[string]error // regions whose documents cannot be read
	rulebook *residency.Rulebook
	rules    *residency.Compiled
	fault    error // why there are no rules

	mutex    sync.Mutex
	subjects map[fleet.Ref]*prepared
	judged   map[likeness][]fleet.Verdict
}

func newView(l *ledger, revision int64, at, known time.Time) *view {
	return &view{
		ledger: l, revision: revision, at: at, known: known, places: map[string]error{},
		assumed: map[fleet.Ref][]*version{}, subjects: map[fleet.Ref]*prepared{}, judged: map[likeness][]fleet.Verdict{},
	}
}

// versions returns what was known of a document, as recorded, the earliest
// first.
func (v *view) versions(ref fleet.Ref) []*version {
	all := v.seen(v.ledger.of(ref))
	if assumed := v.assumed[ref]; len(assumed) > 0 {
		return append(slices.Clip(all), assumed...)
	}
	return all
}

// seen leaves out what was recorded after the view's revision and instant.
func (v *view) seen(all []*version) []*version {
	for len(all) > 0 && (all[len(all)-1].revision > v.revision || !v.known.IsZero() && all[len(all)-1].recorded.After(v.known)) {
		all = all[:len(all)-1]
	}
	return all
}

// valid returns the version of a document that was true at the view's instant:
// of those that had begun the one recorded last; nil when there was none.
func (v *view) valid(ref fleet.Ref) *version { return validAt(v.versions(ref), v.at) }

func validAt(all []*version, at time.Time) *version {
	for i := len(all) - 1; i >= 0; i-- {
		if all[i].begins.After(at) {
			continue
		}
		if all[i].deleted {
			return nil
		}
		return all[i]
	}
	return nil
}

// all returns the versions of a kind that were true, ordered by name.
func (v *view) all(kind fleet.Kind) []*version {
	records := v.ledger.all(kind)
	found := make([]*version, 0, len(records))
	for _, record := range records {
		var one *version
		if len(v.assumed[record.ref]) > 0 {
			one = v.valid(record.ref)
		} else {
			one = validAt(v.seen(v.ledger.versions(record)), v.at)
		}
		if one != nil {
			found = append(found, one)
		}
	}
	for ref := range v.assumed {
		if ref.Kind == kind && len(v.ledger.of(ref)) == 0 {
			if one := v.valid(ref); one != nil {
				found = append(found, one)
			}
		}
	}
	if len(v.assumed) > 0 {
		slices.SortFunc(found, func(a, b *version) int { return strings.Compare(a.ref.Name, b.ref.Name) })
	}
	return found
}

// names lists what documents of a kind were ever called, in order.
func (v *view) names(kind fleet.Kind) []string {
	var names []string
	for _, record := range v.ledger.all(kind) {
		names = append(names, record.ref.Name)
	}
	for ref := range v.assumed {
		if ref.Kind == kind {
			names = append(names, ref.Name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// about lists the placements or exceptions that are about a subject, and can
// be read.
func (v *view) about(subject fleet.Ref, kind fleet.Kind) []*version {
	var found []*version
	for _, ref := range v.ledger.about(subject) {
		if ref.Kind != kind {
			continue
		}
		if one := v.valid(ref); one != nil {
			if now, ok := one.subject(); ok && now == subject {
				found = append(found, one)
			}
		}
	}
	return found
}

// span is a time in which a version was true.
type span struct {
	*version
	from  time.Time // zero: from the beginning
	until time.Time // zero: open
}

// timeline returns when which version of a document was true, in order. What
// was recorded later covers what it contradicts.
func (v *view) timeline(ref fleet.Ref) []span {
	all := v.versions(ref)
	var spans []span
	var until time.Time
	for i := len(all) - 1; i >= 0; i-- {
		if until.IsZero() && len(spans) > 0 || !until.IsZero() && !all[i].begins.Before(until) {
			continue
		}
		spans = append(spans, span{version: all[i], from: all[i].begins, until: until})
		until = all[i].begins
	}
	slices.Reverse(spans)
	return spans
}

// views keeps the last views made, as most questions are about the present.
type views struct {
	mutex sync.Mutex
	made  []*view
}

const keptViews = 8

func (c *views) find(revision int64, at, known time.Time) *view {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	for _, made := range c.made {
		if made.revision == revision && made.at.Equal(at) && made.known.Equal(known) {
			return made
		}
	}
	return nil
}

func (c *views) keep(made *view) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.made = append(c.made, made); len(c.made) > keptViews {
		c.made = slices.Delete(c.made, 0, 1)
	}
}

// open returns the view of a moment, over everything recorded so far.
func (o *Office) open(ctx context.Context, moment fleet.Moment) (*view, error) {
	revision, err := o.ledger.refresh(ctx, o.config.Store)
	if err != nil {
		return nil, err
	}
	at := moment.AsOf
	if at.IsZero() {
		at = o.present()
	}
	if found := o.views.find(revision, at, moment.KnownAt); found != nil {
		return found, nil
	}
	made := newView(o.ledger, revision, at, moment.KnownAt)
	if err := o.rule(ctx, made); err != nil {
		return nil, err
	}
	o.views.keep(made)
	return made, nil
}

// present is now in whole seconds, so that questions asked together get the
// same answers, yet never before something that is recorded: recorded time may
// be ahead of the clock.
func (o *Office) present() time.Time {
	_, recorded := o.ledger.head()
	if now := o.config.Now().UTC().Truncate(time.Second); now.After(recorded) {
		return now
	}
	return recorded
}
