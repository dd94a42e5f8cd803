package residency_test

import (
	"context"
	"errors"
	"reflect"
	"testing"

	"github.com/spf13/cobra"

	"github.com/meridian-fleet/meridian/internal/cli/factory"
	"github.com/meridian-fleet/meridian/internal/cli/question"
	"github.com/meridian-fleet/meridian/internal/cli/residency"
	"github.com/meridian-fleet/meridian/internal/fleet"
)

func execute(t *testing.T, cmd *cobra.Command, args ...string) {
	t.Helper()
	cmd.SetArgs(args)
	if err := cmd.Execute(); err != nil {
		t.Errorf("%q: %v", args, err)
	}
}

func TestCheckFlags(t *testing.T) {
	t.Parallel()
	var got residency.CheckOptions
	f := &factory.Factory{}
	execute(t, residency.NewCheck(f, func(_ context.Context, o *residency.CheckOptions) error { got = *o; return nil }),
		"dataset/a", "workload/b", "--facet", "storage,key", "--facet", "backup", "--region", "a/b", "--geo-redundant", "--pair", "c/d",
		"--leaving", "e/f,g/h", "--as-of", "2026-03-03", "--known-at", "2026-03-04")
	want := residency.CheckOptions{
		Factory: f, Moment: question.Moment{AsOf: "2026-03-03", KnownAt: "2026-03-04"}, Subjects: []string{"dataset/a", "workload/b"},
		Facets: []string{"storage", "key", "backup"}, Regions: []string{"a/b"}, GeoRedundant: true, Pair: "c/d", Leaving: []string{"e/f", "g/h"},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v", got)
	}
	execute(t, residency.NewCheck(f, func(_ context.Context, o *residency.CheckOptions) error { got = *o; return nil }), "--matrix", "--all-regions")
	if !got.Matrix || !got.AllRegions || len(got.Subjects) != 0 {
		t.Errorf("%+v", got)
	}
}

// What cannot be meant is refused before anybody is asked: there is no
// configuration here that could lead to a daemon.
func TestWhatCannotBeMeantIsRefused(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	f := func() *factory.Factory { return &factory.Factory{} }
	for name, err := range map[string]error{
		"nothing":        residency.Check(ctx, &residency.CheckOptions{Factory: f()}),
		"a bare name":    residency.Check(ctx, &residency.CheckOptions{Factory: f(), Subjects: []string{"crm"}}),
		"a facet":        residency.Check(ctx, &residency.CheckOptions{Factory: f(), Matrix: true, Facets: []string{"x"}}),
		"a region":       residency.Check(ctx, &residency.CheckOptions{Factory: f(), Matrix: true, Regions: []string{"x"}}),
		"both":           residency.Check(ctx, &residency.CheckOptions{Factory: f(), Matrix: true, Regions: []string{"a/b"}, AllRegions: true}),
		"a pair":         residency.Check(ctx, &residency.CheckOptions{Factory: f(), Matrix: true, Pair: "a/b"}),
		"a wrong pair":   residency.Check(ctx, &residency.CheckOptions{Factory: f(), Matrix: true, GeoRedundant: true, Pair: "a"}),
		"left":           residency.Check(ctx, &residency.CheckOptions{Factory: f(), Matrix: true, Leaving: []string{"a"}}),
		"where":          residency.Where(ctx, &residency.WhereOptions{Factory: f(), Subject: "crm"}),
		"where facet":    residency.Where(ctx, &residency.WhereOptions{Factory: f(), Subject: "dataset/crm", Facet: "x"}),
		"explain":        residency.Explain(ctx, &residency.ExplainOptions{Factory: f(), Subject: "dataset/crm", Facet: "storage"}),
		"explain facet":  residency.Explain(ctx, &residency.ExplainOptions{Factory: f(), Subject: "dataset/crm", Region: "a/b"}),
		"list class":     residency.List(ctx, &residency.ListOptions{Factory: f(), Subjects: []string{"class/a"}}),
		"report":         residency.Report(ctx, &residency.ReportOptions{Factory: f()}),
		"report format":  residency.Report(ctx, &residency.ReportOptions{Factory: f(), Out: "a.html", Format: "pdf"}),
		"report no type": residency.Report(ctx, &residency.ReportOptions{Factory: f(), Out: "audit"}),
	} {
		if !errors.Is(err, fleet.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestFlagsOfTheOthers(t *testing.T) {
	t.Parallel()
	f := &factory.Factory{}
	moment := question.Moment{AsOf: "2026-03-03", KnownAt: "2026-03-04"}
	times := []string{"--as-of", "2026-03-03", "--known-at", "2026-03-04"}
	var where residency.WhereOptions
	execute(t, residency.NewWhere(f, func(_ context.Context, o *residency.WhereOptions) error { where = *o; return nil }),
		append([]string{"class/a", "--facet", "key", "--all", "--geo-redundant", "--leaving", "a/b"}, times...)...)
	if want := (residency.WhereOptions{Factory: f, Moment: moment, Subject: "class/a", Facet: "key", All: true, GeoRedundant: true, Leaving: []string{"a/b"}}); !reflect.DeepEqual(where, want) {
		t.Errorf("%+v", where)
	}
	var explain residency.ExplainOptions
	execute(t, residency.NewExplain(f, func(_ context.Context, o *residency.ExplainOptions) error { explain = *o; return nil }),
		append([]string{"dataset/a", "--facet", "key", "--region", "a/b", "--geo-redundant", "--pair", "c/d"}, times...)...)
	if want := (residency.ExplainOptions{Factory: f, Moment: moment, Subject: "dataset/a", Facet: "key", Region: "a/b", GeoRedundant: true, Pair: "c/d"}); !reflect.DeepEqual(explain, want) {
		t.Errorf("%+v", explain)
	}
	var list residency.ListOptions
	execute(t, residency.NewList(f, func(_ context.Context, o *residency.ListOptions) error { list = *o; return nil }),
		append([]string{"dataset/a", "--region", "a/b"}, times...)...)
	if want := (residency.ListOptions{Factory: f, Moment: moment, Subjects: []string{"dataset/a"}, Regions: []string{"a/b"}}); !reflect.DeepEqual(list, want) {
		t.Errorf("%+v", list)
	}
	var history residency.HistoryOptions
	execute(t, residency.NewHistory(f, func(_ context.Context, o *residency.HistoryOptions) error { history = *o; return nil }), append([]string{"dataset/a"}, times...)...)
	if want := (residency.HistoryOptions{Factory: f, Moment: moment, Dataset: "a"}); !reflect.DeepEqual(history, want) {
		t.Errorf("%+v", history)
	}
	var audit residency.AuditOptions
	execute(t, residency.NewAudit(f, func(_ context.Context, o *residency.AuditOptions) error { audit = *o; return nil }), times...)
	if want := (residency.AuditOptions{Factory: f, Moment: moment}); !reflect.DeepEqual(audit, want) {
		t.Errorf("%+v", audit)
	}
	var report residency.ReportOptions
	execute(t, residency.NewReport(f, func(_ context.Context, o *residency.ReportOptions) error { report = *o; return nil }),
		append([]string{"--format", "csv", "--out", "a", "--title", "b"}, times...)...)
	if want := (residency.ReportOptions{Factory: f, Moment: moment, Format: "csv", Out: "a", Title: "b"}); !reflect.DeepEqual(report, want) {
		t.Errorf("%+v", report)
	}
	var test residency.TestOptions
	execute(t, residency.NewTest(f, "policy", func(_ context.Context, o *residency.TestOptions) error { test = *o; return nil }), "a", "b", "--complete")
	if want := (residency.TestOptions{Factory: f, Paths: []string{"a", "b"}, Complete: true}); !reflect.DeepEqual(test, want) {
		t.Errorf("%+v", test)
	}
}
