package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/structpb"
	"pgregory.net/rapid"

	fleetv1 "github.com/meridian-fleet/meridian/api/fleet/v1"
	"github.com/meridian-fleet/meridian/api/fleet/v1/fleetv1connect"
	"github.com/meridian-fleet/meridian/internal/compliance"
	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/inventory"
	"github.com/meridian-fleet/meridian/internal/server"
)

// TestNoWayToAForbiddenPlace plays users against the API, as it is wired: the
// real server over HTTP, a real inventory, the real answers. Whatever they
// call in whatever order, nothing is placed where the rules, worked out by the
// slow reference, deny it and no exception of two other people is in force.
func TestNoWayToAForbiddenPlace(t *testing.T) {
	t.Parallel()
	var played score
	rapid.Check(t, func(t *rapid.T) {
		g := newGame(t)
		g.score = &played
		defer g.close()
		g.begin()
		if rapid.Bool().Draw(t, "an exception") {
			g.grant(t)
		}
		t.Repeat(map[string]func(*rapid.T){
			"dataset":   g.applyDatasets,
			"dataset2":  g.applyDatasets,
			"workload":  g.applyWorkload,
			"rules":     g.applyRules,
			"together":  g.applyTogether,
			"delete":    g.delete,
			"request":   g.request,
			"decide":    g.decide,
			"decide2":   g.decide,
			"time":      g.wait,
			"":          g.check,
			"workload2": g.applyWorkload,
		})
	})
	t.Logf("%+v", played)
	if played.placed == 0 || played.excepted == 0 || played.refused == 0 {
		t.Errorf("games in which nothing is placed, or nothing by exception, or nothing refused show nothing: %+v", played)
	}
}

// score counts what happened in all games.
type score struct{ placed, excepted, refused int }

// tester is the test that a game is part of.
type tester interface {
	Fatal(arguments ...any)
	Fatalf(format string, arguments ...any)
	Error(arguments ...any)
}

// players are users, some of them with every role but approver.
var players = map[string][]server.Role{
	"mallory": {server.Viewer, server.Operator, server.Compliance, server.Admin},
	"op":      {server.Operator},
	"adm":     {server.Admin},
	"officer": {server.Compliance},
	"first":   {server.Approver},
	"second":  {server.Approver},
	"boss":    server.Roles,
}

// playerNames are the players, those more often who try more.
var playerNames = []string{"mallory", "mallory", "mallory", "op", "op", "op", "adm", "officer", "first", "second", "boss"}

// game is one fleet and what was seen of it.
type game struct {
	t       tester
	score   *score
	ctx     context.Context
	stop    context.CancelFunc
	folder  string
	store   inventory.Store
	http    *httptest.Server
	offset  time.Duration // of the clock everybody shares
	seen    world
	caller  string // of the call since the last look
	version int
	names   []string // of exceptions
	story   []string // what was called, for when it ends badly
}

func newGame(t tester) *game {
	folder, err := os.MkdirTemp("", "meridian-game-")
	if err != nil {
		t.Fatal(err)
	}
	g := &game{t: t, folder: folder, score: &score{}}
	g.ctx, g.stop = context.WithCancel(context.Background())
	if g.store, err = inventory.OpenSQLite(g.ctx, filepath.Join(folder, "inventory.db")); err != nil {
		t.Fatal(err)
	}
	g.http = httptest.NewServer(gameServer(g.store, g.now).Handler())
	return g
}

// gameServer is the API over an inventory, as fleetd wires it.
func gameServer(store inventory.Store, now func() time.Time) *server.Server {
	office := compliance.New(compliance.Config{Store: store, Now: now, Catalog: func(context.Context) ([]fleet.RegionFacts, error) { return gameRegions, nil }})
	tokens := server.NewTokens()
	for name, roles := range players {
		tokens.Add(name, server.Identity{User: name, Roles: roles})
	}
	return server.New(server.Config{
		Store: store, Authenticator: tokens, Metrics: server.NewMetrics(store), DecodeBundle: decodeBundle,
		RegionKnown: func(_ context.Context, name string) (bool, error) {
			return slices.ContainsFunc(gameRegions, func(r fleet.RegionFacts) bool { return r.Name() == name }), nil
		},
		Residency: residencyOffice{office}, Rules: residencyRules{}, Now: now, Logger: slog.New(slog.DiscardHandler),
	})
}

func (g *game) close() {
	g.http.Close()
	g.stop()
	if err := errors.Join(g.store.Close(), os.RemoveAll(g.folder)); err != nil {
		g.t.Error(err)
	}
}

// now is in whole seconds, as answers about the present are: the clock of the
// inventory, by which they would be newer, is not ours to set.
func (g *game) now() time.Time { return time.Now().Add(g.offset).Truncate(time.Second) }

// player is an HTTP client with a user's token.
type player string

func (p player) RoundTrip(request *http.Request) (*http.Response, error) {
	request = request.Clone(request.Context())
	request.Header.Set("Authorization", "Bearer "+string(p))
	return http.DefaultTransport.RoundTrip(request)
}

func (g *game) fleet() fleetv1connect.FleetServiceClient {
	return fleetv1connect.NewFleetServiceClient(&http.Client{Transport: player(g.caller)}, g.http.URL)
}

func (g *game) residency() fleetv1connect.ResidencyServiceClient {
	return fleetv1connect.NewResidencyServiceClient(&http.Client{Transport: player(g.caller)}, g.http.URL)
}

// begin makes rules before anybody plays.
func (g *game) begin() {
	g.caller = "boss"
	fleetAtFirst := append(gameGroups("1", false), gamePolicies("1", true, false)...)
	for _, ref := range gameRefs[:2] {
		fleetAtFirst = append(fleetAtFirst, made(ref.Kind, ref.Name, fleet.DatasetSpec{Classes: []string{"personal.eu"}}))
	}
	if err := g.apply(fleetAtFirst...); err != nil {
		g.t.Fatal(err)
	}
	g.seen = g.look()
}

// grant has an exception approved before anybody plays: most games would be
// over before two approvers agreed.
func (g *game) grant(t *rapid.T) {
	spec := drawException(t, g.now())
	spec.Policy, spec.Rule, spec.Subject = "eu", "secret", gameRefs[0]
	for _, err := range []error{g.ask("op", spec), g.approve("first"), g.approve("second")} {
		if err != nil {
			t.Fatal(err)
		}
	}
	g.names = append(g.names, "x")
	g.seen = g.look()
	g.caller = "op"
	abroad := fleet.Binding{Name: "b0", Facets: []fleet.Facet{fleet.FacetStorage}, Region: "aws/us-east-1"}
	if err := g.apply(made(fleet.KindDataset, "one", fleet.DatasetSpec{Classes: []string{"personal.eu"}, Bindings: []fleet.Binding{abroad}})); err != nil {
		t.Fatal(err)
	}
	g.check(t)
}

func (g *game) choosePlayer(t *rapid.T) { g.caller = rapid.SampledFrom(playerNames).Draw(t, "caller") }

func (g *game) apply(resources ...fleet.Resource) error {
	request := &fleetv1.ApplyRequest{}
	for _, resource := range resources {
		request.Sources = append(request.Sources, &fleetv1.Source{Path: resource.Metadata.Name + ".json", Content: asJSON(g.t, resource)})
	}
	_, err := g.fleet().Apply(g.ctx, connect.NewRequest(request))
	return g.told(fmt.Sprintf("applies %s", asJSON(g.t, resources)), err)
}

// told lets refusals pass: what counts is what is so afterwards. A defect is
// one whoever calls what.
func (g *game) told(what string, err error) error {
	g.story = append(g.story, fmt.Sprintf("%s %s %s: %v", g.now().Format(time.RFC3339), g.caller, what, err))
	if connect.CodeOf(err) == connect.CodePermissionDenied && strings.Contains(err.Error(), "is denied") {
		g.score.refused++
	}
	if code := connect.CodeOf(err); err != nil && (code == connect.CodeInternal || code == connect.CodeUnknown || code == connect.CodeUnavailable) {
		g.t.Fatalf("%s is told %v", g.caller, err)
	}
	return err
}

func (g *game) applyDatasets(t *rapid.T) {
	g.choosePlayer(t)
	_ = g.apply(drawDataset(t, g.seen, g.now()))
}

func (g *game) applyWorkload(t *rapid.T) {
	g.choosePlayer(t)
	_ = g.apply(drawWorkload(t))
}

func (g *game) applyRules(t *rapid.T) {
	g.choosePlayer(t)
	_ = g.apply(g.drawRules(t)...)
}

// applyTogether hides a place among rules and other documents.
func (g *game) applyTogether(t *rapid.T) {
	g.choosePlayer(t)
	all := []fleet.Resource{drawDataset(t, g.seen, g.now()), drawWorkload(t)}
	if rapid.Bool().Draw(t, "with rules") {
		all = append(all, g.drawRules(t)...)
	}
	_ = g.apply(all...)
}

func (g *game) drawRules(t *rapid.T) []fleet.Resource {
	if rapid.IntRange(0, 3).Draw(t, "a new version") > 0 {
		g.version++
	}
	version := "v" + string(rune('a'+g.version%26)) + strings.Repeat("x", g.version/26)
	if rapid.Bool().Draw(t, "groups") {
		return gameGroups(version, rapid.Bool().Draw(t, "wide"))
	}
	return gamePolicies(version, rapid.Bool().Draw(t, "lax"), rapid.Bool().Draw(t, "strict"))
}

func (g *game) delete(t *rapid.T) {
	g.choosePlayer(t)
	ref := rapid.SampledFrom(gameRefs).Draw(t, "ref")
	_, err := g.fleet().Delete(g.ctx, connect.NewRequest(&fleetv1.DeleteRequest{Kind: string(ref.Kind), Name: ref.Name}))
	_ = g.told("deletes "+ref.String(), err)
}

func (g *game) request(t *rapid.T) {
	g.choosePlayer(t)
	spec := &structpb.Struct{}
	if err := spec.UnmarshalJSON(asJSON(t, drawException(t, g.now()))); err != nil {
		t.Fatal(err)
	}
	name := "x" + string(rune('0'+len(g.names)%10))
	_, err := g.residency().RequestException(g.ctx, connect.NewRequest(&fleetv1.RequestExceptionRequest{Name: name, Spec: spec}))
	if g.told(fmt.Sprintf("asks for %s %s", name, asJSON(t, spec)), err) == nil {
		g.names = append(g.names, name)
	}
}

// decide approves mostly, and revokes sometimes.
func (g *game) decide(t *rapid.T) {
	if len(g.names) == 0 {
		t.Skip("no exception")
	}
	g.caller = rapid.SampledFrom([]string{"first", "first", "second", "second", "boss", "mallory"}).Draw(t, "caller")
	name := rapid.SampledFrom(g.names).Draw(t, "exception")
	var err error
	if rapid.IntRange(0, 9).Draw(t, "revoke") == 0 {
		_, err = g.residency().RevokeException(g.ctx, connect.NewRequest(&fleetv1.RevokeExceptionRequest{Name: name, Reason: "over"}))
	} else {
		_, err = g.residency().ApproveException(g.ctx, connect.NewRequest(&fleetv1.ApproveExceptionRequest{Name: name}))
	}
	_ = g.told("decides "+name, err)
}

// wait lets time pass. What it makes unlawful nobody placed.
func (g *game) wait(t *rapid.T) {
	g.offset += time.Duration(rapid.IntRange(1, 200).Draw(t, "days")) * 24 * time.Hour
	g.caller = "time"
	g.story = append(g.story, "time passes")
	g.seen = g.look()
}
