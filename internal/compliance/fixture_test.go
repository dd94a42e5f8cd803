package compliance_test

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/meridian-fleet/meridian/internal/compliance"
	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/inventory"
	"github.com/meridian-fleet/meridian/internal/manifest"
	"github.com/meridian-fleet/meridian/providers/builtin"
)

const actor = "tester"

func TestMain(m *testing.M) {
	// Fewer walks than rapid's default unless asked for: each step writes and audits.
	if err := flag.Set("rapid.checks", "20"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// tester is what a *testing.T and a *rapid.T have in common.
type tester interface {
	Helper()
	Fatal(arguments ...any)
	Fatalf(format string, arguments ...any)
	Errorf(format string, arguments ...any)
	Context() context.Context
}

// fixture is an office over a real inventory.
type fixture struct {
	store  inventory.Store
	office *compliance.Office
}

// catalog is the built-in regions of all clouds.
func catalog(context.Context) ([]fleet.RegionFacts, error) {
	regions, err := builtin.Regions()
	if err != nil {
		return nil, err
	}
	var all []fleet.RegionFacts
	for provider, list := range regions {
		for _, region := range list {
			all = append(all, compliance.FactsOf(provider, region))
		}
	}
	return all, nil
}

func openStore(t *testing.T) inventory.Store {
	t.Helper()
	store, err := inventory.OpenSQLite(t.Context(), filepath.Join(t.TempDir(), "inventory.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return store
}

// newFixture has the rules of testdata/rules.yaml recorded.
func newFixture(t *testing.T) *fixture {
	t.Helper()
	store := openStore(t)
	f := &fixture{store: store, office: compliance.New(compliance.Config{Store: store, Catalog: catalog})}
	f.apply(t, readRules(t))
	return f
}

func readRules(t tester) string {
	t.Helper()
	rules, err := os.ReadFile("testdata/rules.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return string(rules)
}

func parse(t tester, text string) []fleet.Resource {
	t.Helper()
	documents, err := manifest.Parse("test.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	var resources []fleet.Resource
	for _, document := range documents {
		resources = append(resources, document.Resource)
	}
	return resources
}

// document writes the text of a document from its spec in flow style.
func document(kind fleet.Kind, name, spec string) string {
	return fmt.Sprintf("---\napiVersion: meridian.dev/v1alpha1\nkind: %s\nmetadata: {name: %s}\nspec: %s\n", kind, name, spec)
}

func dataset(name, spec string) string  { return document(fleet.KindDataset, name, spec) }
func workload(name, spec string) string { return document(fleet.KindWorkload, name, spec) }

// apply records documents without asking anybody and returns when.
func (f *fixture) apply(t tester, text string) time.Time {
	t.Helper()
	return f.put(t, parse(t, text)...)
}

func (f *fixture) put(t tester, resources ...fleet.Resource) time.Time {
	t.Helper()
	if _, err := f.store.Apply(t.Context(), actor, resources, inventory.ApplyOptions{}); err != nil {
		t.Fatal(err)
	}
	return f.last(t)
}

// last is when the newest change was recorded.
func (f *fixture) last(t tester) time.Time {
	t.Helper()
	revision, err := f.store.Revision(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	changes, err := f.store.Changes(t.Context(), inventory.ChangeQuery{After: revision - 1})
	if err != nil || len(changes) != 1 {
		t.Fatalf("%v, %v", changes, err)
	}
	return changes[0].At
}

// exception records one, approved by two at an instant unless it is zero.
func (f *fixture) exception(t tester, name string, spec fleet.ExceptionSpec, approved time.Time) time.Time {
	t.Helper()
	spec.Reason = "a test"
	resource, err := fleet.NewResource(fleet.KindException, name, spec, nil)
	if err != nil {
		t.Fatal(err)
	}
	f.put(t, resource)
	at := approved.UTC().Format(time.RFC3339)
	status := fleet.ExceptionStatus{Phase: fleet.ExceptionRequested, RequestedBy: "rita", RequestedAt: at}
	if !approved.IsZero() {
		status.Phase, status.ApprovedAt = fleet.ExceptionApproved, at
		status.Approvals = []fleet.Approval{{By: "ann", At: at}, {By: "bob", At: at}}
	}
	return f.status(t, resource.Ref(), status)
}

func (f *fixture) status(t tester, ref fleet.Ref, status any) time.Time {
	t.Helper()
	if err := f.store.UpdateStatus(t.Context(), actor, ref, func(json.RawMessage) (any, error) { return status, nil }); err != nil {
		t.Fatal(err)
	}
	return f.last(t)
}

func (f *fixture) check(t tester, moment fleet.Moment, questions ...fleet.Question) []fleet.Verdict {
	t.Helper()
	verdicts, err := f.office.Check(t.Context(), moment, questions)
	if err != nil {
		t.Fatal(err)
	}
	return verdicts
}

func of(name string) fleet.Ref      { return fleet.Ref{Kind: fleet.KindDataset, Name: name} }
func running(name string) fleet.Ref { return fleet.Ref{Kind: fleet.KindWorkload, Name: name} }

// outcome is a verdict in short: yes or no, and by which rules.
func outcome(verdict fleet.Verdict) string {
	var ids []string
	for _, finding := range verdict.Findings {
		ids = append(ids, finding.ID())
	}
	slices.Sort(ids)
	text := "no"
	if verdict.Allowed {
		text = "yes"
	}
	return strings.TrimSpace(text + " " + strings.Join(slices.Compact(ids), " "))
}

// day is a date as an instant.
func day(t tester, text string) time.Time {
	t.Helper()
	if text == "" {
		return time.Time{}
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if at, err := time.Parse(layout, text); err == nil {
			return at
		}
	}
	t.Fatalf("%q is no instant", text)
	return time.Time{}
}

func wantKind(t tester, err error, kind *fleet.ErrorKind, about ...string) {
	t.Helper()
	if !errors.Is(err, kind) {
		t.Errorf("got %v, want an error that is %v", err, kind)
		return
	}
	for _, words := range about {
		if !strings.Contains(err.Error(), words) {
			t.Errorf("%q does not say %q", err, words)
		}
	}
}
