package daemon

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"connectrpc.com/connect"

	fleetv1 "github.com/meridian-fleet/meridian/api/fleet/v1"
	"github.com/meridian-fleet/meridian/api/fleet/v1/fleetv1connect"
	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/inventory"
	"github.com/meridian-fleet/meridian/internal/inventory/postgrestest"
)

// needed is how often both outcomes are seen before the race is over.
const needed = 60

// TestTwoDaemonsDecideAsOne has two API servers beside each other on one
// database: while the law changes through both, data is placed through both.
// Read again change by change, nothing was placed that the rules of that very
// moment deny.
func TestTwoDaemonsDecideAsOne(t *testing.T) {
	t.Parallel()
	address := postgrestest.Database(t)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	var urls [2]string
	var store inventory.Store
	for i := range urls {
		opened, err := inventory.OpenPostgres(ctx, address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = opened.Close() })
		daemon := httptest.NewServer(gameServer(opened, time.Now).Handler())
		t.Cleanup(daemon.Close)
		urls[i], store = daemon.URL, opened
	}
	race := &race{ctx: ctx, t: t, tried: make(chan struct{}, 1)}
	if err := race.apply(urls[0], append(gameGroups("1", false), gamePolicies("law-0", false, false)...)...); err != nil {
		t.Fatal(err)
	}

	var placing, changing sync.WaitGroup
	for i, name := range []string{"one", "two"} {
		placing.Go(func() { race.place(urls[i], name) })
	}
	changing.Go(func() { race.legislate(urls) })
	placing.Wait()
	close(race.tried)
	changing.Wait()
	if ctx.Err() != nil {
		t.Fatalf("placed %d times and refused %d times; want %d of both", race.placed.Load(), race.refused.Load(), needed)
	}
	race.readAgain(store)
}

// race is what goes on at once.
type race struct {
	ctx             context.Context
	t               *testing.T
	placed, refused atomic.Int64
	tried           chan struct{} // somebody tried to place something
}

func (r *race) over() bool {
	return r.ctx.Err() != nil || r.placed.Load() >= needed && r.refused.Load() >= needed
}

// apply lets refusals pass, as the game does.
func (r *race) apply(url string, resources ...fleet.Resource) error {
	request := &fleetv1.ApplyRequest{}
	for _, resource := range resources {
		request.Sources = append(request.Sources, &fleetv1.Source{Path: resource.Metadata.Name + ".json", Content: asJSON(r.t, resource)})
	}
	client := fleetv1connect.NewFleetServiceClient(&http.Client{Transport: player("mallory")}, url)
	_, err := client.Apply(r.ctx, connect.NewRequest(request))
	if code := connect.CodeOf(err); err != nil && (code == connect.CodeInternal || code == connect.CodeUnknown) && r.ctx.Err() == nil {
		r.t.Errorf("told %v", err)
	}
	return err
}

// plain says that data is nobody's professional secret: one rule is enough.
var plain = map[string]fleet.DataFact{"secrecy": {Value: json.RawMessage(`"none"`), Source: fleet.SourceDeclared}}

// place moves data abroad and back, again and again.
func (r *race) place(url, name string) {
	for i := 0; !r.over(); i++ {
		spec := fleet.DatasetSpec{Classes: []string{"personal.eu"}, Facts: plain}
		if i%2 == 1 {
			spec.Bindings = []fleet.Binding{{Name: fmt.Sprint("b", i), Facets: []fleet.Facet{fleet.FacetStorage}, Region: "aws/us-east-1"}}
		}
		err := r.apply(url, made(fleet.KindDataset, name, spec))
		switch {
		case i%2 == 0:
		case err == nil:
			r.placed.Add(1)
		case connect.CodeOf(err) == connect.CodePermissionDenied:
			r.refused.Add(1)
		}
		select {
		case r.tried <- struct{}{}:
		default:
		}
	}
}

// legislate allows storage anywhere and forbids it again, through one daemon
// after the other, while the next thing is placed: not more often, as a law
// that never rests lets nobody act.
func (r *race) legislate(urls [2]string) {
	for i := 1; !r.over(); i++ {
		_ = r.apply(urls[i/2%2], gamePolicies(fmt.Sprint("law-", i), i%2 == 1, false)[0]) // when the race was lost, the next one
		<-r.tried
	}
}

// readAgain judges every change by what was recorded right then.
func (r *race) readAgain(store inventory.Store) {
	changes, err := store.Changes(r.ctx, inventory.ChangeQuery{})
	if err != nil {
		r.t.Fatal(err)
	}
	g := &game{t: r.t, ctx: r.ctx, store: store}
	now := world{resources: map[fleet.Ref]fleet.Resource{}}
	found := int64(0)
	for _, change := range changes {
		now.at = change.At
		if change.Ref.Kind != fleet.KindDataset {
			r.record(now, change)
			continue
		}
		before := g.acts(now)
		r.record(now, change)
		for name, done := range g.acts(now) {
			if _, old := before[name]; old {
				continue
			}
			found++
			if !done.verdict.Allowed {
				r.t.Errorf("revision %d placed %s, which is denied: %s", change.Revision, name, asJSON(r.t, done.verdict))
			}
		}
	}
	if found != r.placed.Load() {
		r.t.Errorf("history has %d placements of %d", found, r.placed.Load())
	}
}

// record makes the world what it was after a change.
func (r *race) record(w world, change inventory.RawChange) {
	if change.Document == nil {
		delete(w.resources, change.Ref)
		return
	}
	var resource fleet.Resource
	if err := json.Unmarshal(change.Document, &resource); err != nil {
		r.t.Fatalf("%s: %v", change.Ref, err)
	}
	w.resources[change.Ref] = resource
}
