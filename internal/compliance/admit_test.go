package compliance_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/inventory"
)

// write asks for admission and writes, as the API does.
func (f *fixture) write(t tester, resources ...fleet.Resource) error {
	t.Helper()
	admission, err := f.office.Admit(t.Context(), actor, resources)
	if errors.Is(err, fleet.ErrDenied) {
		f.put(t, admission.Decisions...)
		return err
	}
	if err != nil {
		return err
	}
	_, err = f.store.Apply(t.Context(), actor, append(resources, admission.Decisions...), inventory.ApplyOptions{Unless: admission.Unless})
	return err
}

func binding(rest string) string { return "bindings: [{name: a, facets: [storage], " + rest + "}]" }

func TestAdmit(t *testing.T) {
	t.Parallel()
	tomorrow, nextYear := time.Now().AddDate(0, 0, 2).Format(time.DateOnly), time.Now().AddDate(1, 0, 0).Format(time.DateOnly)
	base := dataset("pages", "{classes: [public], "+binding("region: aws/us-east-1")+"}") +
		dataset("patients", "{classes: [personal.eu], "+binding("region: aws/eu-central-1")+"}") +
		dataset("payments", "{classes: [payments.in], bindings: [{name: a, facets: [storage], region: aws/ap-south-1}, {name: b, facets: [backup], region: aws/us-east-1}]}") +
		dataset("found", "{classes: [personal.eu], "+binding("region: aws/us-east-1, existing: true")+"}") +
		dataset("leased", "{classes: [public], "+binding("region: aws/us-east-1, until: "+tomorrow)+"}") +
		workload("site", "{datasets: [{dataset: pages}], regions: [aws/us-east-1]}") +
		workload("portal", "{datasets: [{dataset: patients}], regions: [aws/eu-central-1]}") +
		document(fleet.KindResidencyPolicy, "open-later", "{version: '1', effective: {from: "+nextYear+"}, appliesTo: {classes: [public]}, rules: [{name: home, facets: [storage], allowOnly: {countries: [DE]}}]}")
	for name, test := range map[string]struct {
		write  string
		denied string // Object and Field of the fault; empty: admitted
		rules  string
	}{
		"nothing new":                  {base, "", ""},
		"a place at home":              {dataset("new", "{classes: [personal.eu], "+binding("region: aws/eu-west-3")+"}"), "", ""},
		"a place abroad":               {dataset("new", "{classes: [personal.eu], "+binding("region: aws/us-east-1")+"}"), "Dataset new spec.bindings[0].region", "eu-personal-data/stays"},
		"a pair abroad":                {dataset("new", "{classes: [personal.eu], "+binding("region: azure/germanywestcentral, geoRedundant: true, pair: azure/uksouth")+"}"), "Dataset new spec.bindings[0].region", "eu-personal-data/stays"},
		"found abroad":                 {dataset("new", "{classes: [personal.eu], "+binding("region: aws/us-east-1, existing: true")+"}"), "", ""},
		"found, then said to be meant": {dataset("found", "{classes: [personal.eu], "+binding("region: aws/us-east-1")+"}"), "Dataset found spec.bindings[0].region", "eu-personal-data/stays"},
		"placed, then called another":  {dataset("pages", "{classes: [personal.eu], "+binding("region: aws/us-east-1")+"}"), "Dataset pages spec.bindings[0].region", "eu-personal-data/stays"},
		"without a class":              {dataset("pages", "{classes: [], "+binding("region: aws/us-east-1")+"}"), "Dataset pages spec.bindings[0].region", "meridian/unclassified"},
		"a region more":                {workload("portal", "{datasets: [{dataset: patients}], regions: [aws/eu-central-1, aws/us-east-1]}"), "Workload portal spec.regions[1]", "eu-personal-data/processing"},
		"a dataset more":               {workload("site", "{datasets: [{dataset: pages}, {dataset: patients}], regions: [aws/us-east-1]}"), "Workload site spec.regions[0]", "eu-personal-data/processing"},
		"a dataset nobody declared":    {workload("site", "{datasets: [{dataset: nothing}], regions: [aws/us-east-1]}"), "Workload site spec.regions[0]", "meridian/unknown-dataset"},
		"the copy at home goes":        {dataset("payments", "{classes: [payments.in], bindings: [{name: b, facets: [backup], region: aws/us-east-1}]}"), "Dataset payments spec.bindings[0].region", "in-payments/local-copy"},
		"the copy at home was moved":   {dataset("payments", "{classes: [payments.in], bindings: [{name: a, facets: [storage], region: aws/ap-south-2}, {name: b, facets: [backup], region: aws/us-east-1}]}"), "", ""},
		"from a day with another law":  {dataset("new", "{classes: [public], "+binding("region: aws/us-east-1, from: "+nextYear)+"}"), "Dataset new spec.bindings[0].region", "open-later/home"},
		"since a day with another law": {dataset("new", "{classes: [public], since: "+nextYear+", "+binding("region: aws/us-east-1")+"}"), "Dataset new spec.bindings[0].region", "open-later/home"},
		"longer than it was leased":    {dataset("leased", "{classes: [public], "+binding("region: aws/us-east-1")+"}"), "", ""},
		"over before it began":         {dataset("new", "{classes: [personal.eu], "+binding("region: aws/us-east-1, until: 2020-01-01")+"}"), "", ""},
		"a rule with its dataset": {document(fleet.KindDataClass, "local", "{}") + document(fleet.KindResidencyPolicy, "p", "{version: '1', effective: {from: 2020-01-01}, appliesTo: {classes: [local]}, rules: [{name: r, facets: [storage], allowOnly: {countries: [US]}}]}") +
			dataset("new", "{classes: [local], "+binding("region: aws/us-east-1")+"}"), "", ""},
		"two copies that a rule wants, at once": {document(fleet.KindDataClass, "twice", "{}") + document(fleet.KindResidencyPolicy, "p", "{version: '1', effective: {from: 2020-01-01}, appliesTo: {classes: [twice]}, rules: [{name: r, facets: [storage], requireCopy: {in: {countries: [DE, FR]}, minimum: 2}}]}") +
			dataset("new", "{classes: [twice], bindings: [{name: a, facets: [storage], region: aws/eu-central-1}, {name: b, facets: [storage], region: aws/eu-west-3}]}"), "", ""},
		"a stricter rule alone": {document(fleet.KindResidencyPolicy, "open-data", "{version: '2', effective: {from: 2000-01-01}, appliesTo: {classes: [public]}, rules: [{name: home, facets: [storage, processing], allowOnly: {countries: [DE]}}]}"), "", ""},
		"a stricter rule and a write that is no worse": {document(fleet.KindResidencyPolicy, "open-data", "{version: '2', effective: {from: 2000-01-01}, appliesTo: {classes: [public]}, rules: [{name: home, facets: [storage, processing], allowOnly: {countries: [DE]}}]}") +
			dataset("pages", "{title: x, classes: [public], "+binding("region: aws/us-east-1")+"}"), "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			if err := f.write(t, parse(t, base)...); err != nil {
				t.Fatal(err)
			}
			before := len(f.decisions(t))
			err := f.write(t, parse(t, test.write)...)
			if test.denied == "" {
				if err != nil {
					t.Errorf("denied: %v", err)
				}
				return
			}
			wantKind(t, err, fleet.ErrDenied, test.rules)
			var fault *fleet.Error
			if !errors.As(err, &fault) || fault.Object+" "+fault.Field != test.denied {
				t.Errorf("the fault is in %+v, want %s", fault, test.denied)
			}
			decisions := f.decisions(t)
			if last := decisions[len(decisions)-1]; len(decisions) != before+1 || last.Allowed || !strings.Contains(outcomes(last), test.rules) {
				t.Errorf("recorded: %+v", decisions)
			}
		})
	}
}

// Where a workload may no longer be it stays, but takes no more data of the
// same kind in; what its dataset is may still be said more exactly.
func TestAdmitNoMoreDataWhereItMayNotBe(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.apply(t, document(fleet.KindDataClass, "public.maps", "{}")+document(fleet.KindDataClass, "public.press", "{}"))
	site := func(uses string) error {
		return f.write(t, parse(t, dataset("pages", "{classes: [public]}")+
			workload("site", "{classes: ["+uses+"], datasets: [{dataset: pages}], regions: [aws/us-east-1]}"))...)
	}
	if err := site("{classes: [public.maps]}"); err != nil {
		t.Fatal(err)
	}
	f.apply(t, document(fleet.KindResidencyPolicy, "open-data", "{version: '2', effective: {from: 2000-01-01}, appliesTo: {classes: [public]}, rules: [{name: home, facets: [storage, processing], allowOnly: {countries: [DE]}}]}"))
	if err := site("{classes: [public.maps]}"); err != nil {
		t.Errorf("as it was: %v", err)
	}
	wantKind(t, site("{classes: [public.maps]}, {classes: [public.press]}"), fleet.ErrDenied, "open-data/home")
	if err := f.write(t, parse(t, dataset("pages", "{classes: [public, public.press]}"))...); err != nil {
		t.Errorf("a better word for a dataset: %v", err)
	}
}

// A dataset that is reclassified takes the workloads that touch it along.
func TestAdmitAsksForWorkloadsToo(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	if err := f.write(t, parse(t, dataset("pages", "{classes: [public]}")+workload("site", "{datasets: [{dataset: pages}], regions: [aws/us-east-1]}"))...); err != nil {
		t.Fatal(err)
	}
	err := f.write(t, parse(t, dataset("pages", "{classes: [personal.eu]}"))...)
	wantKind(t, err, fleet.ErrDenied, "Dataset pages", "Workload site: processing in aws/us-east-1")
	f.exception(t, "x", fleet.ExceptionSpec{
		Policy: "eu-personal-data", Rule: "processing", Subject: running("site"), Facets: []fleet.Facet{fleet.FacetProcessing},
		Scope: fleet.Scope{Anywhere: true}, Period: fleet.Period{Until: "9000-01-01"},
	}, day(t, "2024-01-01"))
	if err := f.write(t, parse(t, dataset("pages", "{classes: [personal.eu]}"))...); err != nil {
		t.Errorf("with an exception: %v", err)
	}
}

// Rules that change between admission and write keep the write out.
func TestAdmissionIsForTheRulesItRestsOn(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	resources := parse(t, dataset("pages", "{classes: [public], "+binding("region: aws/us-east-1")+"}"))
	admission, err := f.office.Admit(t.Context(), actor, resources)
	if err != nil || len(admission.Decisions) != 1 {
		t.Fatalf("%+v, %v", admission, err)
	}
	f.apply(t, document(fleet.KindResidencyPolicy, "late", "{version: '1', effective: {from: 2020-01-01}, appliesTo: {classes: [public]}, rules: [{name: r, facets: [storage], allowOnly: {countries: [DE]}}]}"))
	_, err = f.store.Apply(t.Context(), actor, append(resources, admission.Decisions...), inventory.ApplyOptions{Unless: admission.Unless})
	wantKind(t, err, fleet.ErrConflict, "ResidencyPolicy late")
	wantKind(t, f.write(t, resources...), fleet.ErrDenied, "late/r")
}

func TestAdmitRefusesTooManyDates(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	var bindings []string
	for i := range 300 {
		bindings = append(bindings, fmt.Sprintf("{name: b%d, facets: [storage], region: aws/us-east-1, from: %d-01-01}", i, 3000+i))
	}
	_, err := f.office.Admit(t.Context(), actor, parse(t, dataset("d", "{classes: [public], bindings: ["+strings.Join(bindings, ", ")+"]}")))
	wantKind(t, err, fleet.ErrInvalid, "300 different dates")
	bad, _ := fleet.NewResource(fleet.KindDataset, "bad", map[string]any{"classes": 5}, nil)
	_, err = f.office.Admit(t.Context(), actor, []fleet.Resource{bad})
	wantKind(t, err, fleet.ErrInvalid, "Dataset bad")
}

// TestNothingIsPlacedAgainstTheRules walks at random through writes of
// datasets and workloads, as anybody may send them, and exceptions that were
// approved. Whatever is admitted, nothing that is declared to be somewhere, and
// not marked as found there, is denied.
func TestNothingIsPlacedAgainstTheRules(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	run := 0
	rapid.Check(t, func(rt *rapid.T) {
		run++
		w := &walk{fixture: f, prefix: fmt.Sprintf("r%d-", run)}
		rt.Repeat(map[string]func(*rapid.T){"dataset": w.dataset, "workload": w.workload, "both": w.both, "exception": w.exempt, "": w.clean})
		w.leave(rt)
	})
}

type walk struct {
	*fixture
	prefix   string
	written  []fleet.Ref
	excepted int
}

var (
	drawClass  = rapid.SampledFrom([]string{"public", "personal.eu", "personal.eu.health", "payments.in", "personal"})
	drawRegion = rapid.SampledFrom([]string{"aws/eu-central-1", "aws/us-east-1", "aws/ap-south-1", "azure/westeurope", "azure/brazilsouth", "country/IN"})
	drawFacets = rapid.SliceOfNDistinct(rapid.SampledFrom([]fleet.Facet{"storage", "processing", "backup", "key"}), 1, 2, rapid.ID[fleet.Facet])
	drawSince  = rapid.SampledFrom([]string{"", "", "2020-01-01", "2999-01-01"})
	drawFrom   = rapid.SampledFrom([]string{"", "", "2020-01-01", "2999-01-01"})
	drawUntil  = rapid.SampledFrom([]string{"", "2999-01-01", "2999-06-30"})
	drawName   = rapid.SampledFrom([]string{"a", "b"})
)

func (w *walk) drawDataset(rt *rapid.T) fleet.Resource {
	spec := fleet.DatasetSpec{Classes: rapid.SliceOfNDistinct(drawClass, 0, 2, rapid.ID[string]).Draw(rt, "classes"), Since: drawSince.Draw(rt, "since")}
	for i := range rapid.IntRange(0, 3).Draw(rt, "bindings") {
		spec.Bindings = append(spec.Bindings, fleet.Binding{
			Name: fmt.Sprint("b", i), Facets: drawFacets.Draw(rt, "facets"), Region: drawRegion.Draw(rt, "region"),
			GeoRedundant: rapid.Bool().Draw(rt, "geo"), Existing: rapid.IntRange(0, 4).Draw(rt, "existing") == 0,
			From: drawFrom.Draw(rt, "from"), Until: drawUntil.Draw(rt, "until"),
		})
	}
	return w.resource(rt, fleet.KindDataset, spec)
}

func (w *walk) drawWorkload(rt *rapid.T) fleet.Resource {
	spec := fleet.WorkloadSpec{Regions: rapid.SliceOfNDistinct(drawRegion, 0, 2, rapid.ID[string]).Draw(rt, "regions"), Since: drawSince.Draw(rt, "since")}
	for _, name := range rapid.SliceOfNDistinct(drawName, 0, 2, rapid.ID[string]).Draw(rt, "datasets") {
		spec.Datasets = append(spec.Datasets, fleet.DatasetUse{Dataset: w.prefix + name, Facets: drawFacets.Draw(rt, "facets")})
	}
	return w.resource(rt, fleet.KindWorkload, spec)
}

func (w *walk) resource(rt *rapid.T, kind fleet.Kind, spec any) fleet.Resource {
	resource, err := fleet.NewResource(kind, w.prefix+drawName.Draw(rt, "name"), spec, nil)
	if err != nil {
		rt.Fatal(err)
	}
	w.written = append(w.written, resource.Ref())
	return resource
}

func (w *walk) send(rt *rapid.T, resources ...fleet.Resource) {
	if err := w.write(rt, resources...); err != nil && !errors.Is(err, fleet.ErrDenied) {
		rt.Fatal(err)
	}
}

func (w *walk) dataset(rt *rapid.T)  { w.send(rt, w.drawDataset(rt)) }
func (w *walk) workload(rt *rapid.T) { w.send(rt, w.drawWorkload(rt)) }
func (w *walk) both(rt *rapid.T)     { w.send(rt, w.drawDataset(rt), w.drawWorkload(rt)) }

func (w *walk) exempt(rt *rapid.T) {
	w.excepted++
	kind := rapid.SampledFrom([]fleet.Kind{fleet.KindDataset, fleet.KindWorkload}).Draw(rt, "kind")
	w.fixture.exception(rt, fmt.Sprint(w.prefix, w.excepted), fleet.ExceptionSpec{
		Policy: "eu-personal-data", Rule: rapid.SampledFrom([]string{"stays", "processing"}).Draw(rt, "rule"),
		Subject: fleet.Ref{Kind: kind, Name: w.prefix + drawName.Draw(rt, "name")}, Facets: drawFacets.Draw(rt, "facets"),
		Scope: fleet.Scope{Countries: []string{"US"}}, Period: fleet.Period{Until: "9000-01-01"},
	}, time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC))
}

// clean audits now and in the times to come that documents speak of.
func (w *walk) clean(rt *rapid.T) {
	for _, at := range []time.Time{{}, time.Date(2999, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2999, 1, 2, 0, 0, 0, 0, time.UTC), time.Date(2999, 7, 1, 0, 0, 0, 0, time.UTC)} {
		report, err := w.office.Audit(rt.Context(), fleet.Moment{AsOf: at})
		if err != nil {
			rt.Fatal(err)
		}
		for _, place := range report.Places {
			if strings.HasPrefix(place.Subject.Name, w.prefix) && !place.Clean() && !w.found(rt, at, place) {
				rt.Fatalf("at %v %s is in %s as %q: %s", at, place.Subject, place.Region, place.Binding, outcome(place.Verdicts[0]))
			}
		}
	}
}

// found reports whether a place is declared as found there, in any version of
// its document that may count.
func (w *walk) found(rt *rapid.T, at time.Time, place fleet.Audited) bool {
	history, err := w.store.History(rt.Context(), place.Subject)
	if err != nil || place.Subject.Kind != fleet.KindDataset {
		return false
	}
	for i := len(history) - 1; i >= 0; i-- {
		spec, err := fleet.SpecOf[fleet.DatasetSpec](*history[i].After)
		if err != nil {
			rt.Fatal(err)
		}
		if at.IsZero() && strings.HasPrefix(spec.Since, "2999") {
			continue // not yet true
		}
		for _, binding := range spec.Bindings {
			if binding.Name == place.Binding {
				return binding.Existing
			}
		}
	}
	return false
}

func (w *walk) leave(rt *rapid.T) {
	for _, ref := range w.written {
		if err := w.store.Delete(rt.Context(), actor, ref, nil); err != nil && !errors.Is(err, fleet.ErrNotFound) {
			rt.Fatal(err)
		}
	}
}
