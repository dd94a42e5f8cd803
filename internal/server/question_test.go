package server_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	fleetv1 "github.com/meridian-fleet/meridian/api/fleet/v1"
	"github.com/meridian-fleet/meridian/internal/fleet"
)

func (f *fixture) check(request *fleetv1.CheckResidencyRequest, questions ...any) (*fleetv1.CheckResidencyResponse, error) {
	for _, question := range questions {
		request.Questions = append(request.Questions, structOf(f.t, question))
	}
	response, err := f.residencyAs("viewer-token").CheckResidency(f.t.Context(), connect.NewRequest(request))
	if err != nil {
		return nil, err
	}
	return response.Msg, nil
}

func TestQuestionsAreAskedOverFacetsAndRegions(t *testing.T) {
	f := newFixture(t)
	ofDataset := map[string]any{"subject": map[string]any{"kind": "Dataset", "name": "customers"}}
	ofWorkload := map[string]any{"subject": map[string]any{"kind": "Workload", "name": "shop"}}
	for name, test := range map[string]struct {
		question        any
		facets, regions []string
		asked           string // facet@region of each
	}{
		"as it is":                   {map[string]any{"classes": []any{"a"}, "facet": "key", "region": "aws/x"}, []string{"storage"}, []string{"aws/y"}, "key@aws/x"},
		"a matrix":                   {ofDataset, []string{"storage", "key"}, []string{"aws/y", "country/IN"}, "storage@aws/y storage@country/IN key@aws/y key@country/IN"},
		"everywhere, for a workload": {ofWorkload, nil, nil, "@aws/eu-west-3 @gcp/europe-west4"},
		"every facet": {ofDataset, nil, []string{"aws/y"},
			"storage@aws/y processing@aws/y key@aws/y access@aws/y backup@aws/y replica@aws/y telemetry@aws/y metadata@aws/y transit@aws/y"},
	} {
		response, err := f.check(&fleetv1.CheckResidencyRequest{Facets: test.facets, Regions: test.regions}, test.question)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var asked []string
		for _, question := range f.residency.questions {
			asked = append(asked, fmt.Sprintf("%s@%s", question.Facet, question.Region))
		}
		if got := strings.Join(asked, " "); got != test.asked || len(response.GetVerdicts()) != len(asked) {
			t.Errorf("%s: asked %s, want %s", name, got, test.asked)
		}
	}
}

func TestMomentsArePassedOn(t *testing.T) {
	f := newFixture(t)
	asOf, knownAt := time.Date(2026, 3, 3, 0, 0, 0, 0, time.UTC), time.Date(2026, 3, 4, 0, 0, 0, 0, time.UTC)
	moment := &fleetv1.Moment{AsOf: timestamppb.New(asOf), KnownAt: timestamppb.New(knownAt)}
	client, ctx := f.residencyAs("viewer-token"), t.Context()
	question := structOf(t, map[string]any{"classes": []any{"a"}, "facet": "key"})
	for name, call := range map[string]func() error{
		"check": func() error {
			_, err := f.check(&fleetv1.CheckResidencyRequest{Moment: moment, Questions: []*structpb.Struct{question}})
			return err
		},
		"where": func() error {
			response, err := client.FindRegions(ctx, connect.NewRequest(&fleetv1.FindRegionsRequest{Moment: moment, Question: question, All: true}))
			if err == nil && len(response.Msg.GetRegions()) != 2 {
				t.Errorf("all regions are %v", response.Msg.GetRegions())
			}
			return err
		},
		"list": func() error {
			_, err := client.ListLocated(ctx, connect.NewRequest(&fleetv1.ListLocatedRequest{Moment: moment, Subjects: []string{"Dataset/customers"}}))
			return err
		},
		"history": func() error {
			_, err := client.DatasetHistory(ctx, connect.NewRequest(&fleetv1.DatasetHistoryRequest{Moment: moment, Dataset: "customers"}))
			return err
		},
		"audit": func() error {
			_, err := client.AuditResidency(ctx, connect.NewRequest(&fleetv1.AuditResidencyRequest{Moment: moment}))
			return err
		},
		"diff": func() error {
			_, err := client.DiffPolicies(ctx, connect.NewRequest(&fleetv1.DiffPoliciesRequest{Moment: moment, Sources: sources(class)}))
			return err
		},
	} {
		f.residency.moment = fleet.Moment{}
		if err := call(); err != nil || !f.residency.moment.AsOf.Equal(asOf) || !f.residency.moment.KnownAt.Equal(knownAt) {
			t.Errorf("%s: asked about %+v, %v", name, f.residency.moment, err)
		}
	}
	moment.AsOf.Nanos = -1
	_, err := client.AuditResidency(ctx, connect.NewRequest(&fleetv1.AuditResidencyRequest{Moment: moment}))
	expectFailure(t, err, fleet.ErrInvalid, "moment.as_of")
}

func TestBadQuestionsAreRefused(t *testing.T) {
	f := newFixture(t)
	good := map[string]any{"classes": []any{"a"}, "facet": "key", "region": "aws/x"}
	with := func(changes map[string]any) map[string]any {
		question := map[string]any{}
		for _, part := range []map[string]any{good, changes} {
			for key, value := range part {
				question[key] = value
			}
		}
		return question
	}
	subject := func(kind, name string) map[string]any { return map[string]any{"kind": kind, "name": name} }
	for name, test := range map[string]struct {
		question any
		field    string
	}{
		"unknown field":        {with(map[string]any{"colour": "red"}), "questions[1].colour"},
		"wrong type":           {with(map[string]any{"classes": "a"}), "questions[1].classes"},
		"no subject":           {map[string]any{"facet": "key"}, "questions[1].subject"},
		"two subjects":         {with(map[string]any{"subject": subject("Dataset", "customers")}), "questions[1].subject"},
		"a subject of a kind":  {map[string]any{"subject": subject("Cluster", "x")}, "questions[1].subject.kind"},
		"a nameless subject":   {map[string]any{"subject": subject("Dataset", "")}, "questions[1].subject.name"},
		"a nameless class":     {with(map[string]any{"classes": []any{""}}), "questions[1].classes"},
		"unknown facet":        {with(map[string]any{"facet": "keys"}), "questions[1].facet"},
		"no region":            {with(map[string]any{"region": "eu-west-3"}), "questions[1].region"},
		"no pair":              {with(map[string]any{"pair": "x", "geoRedundant": true}), "questions[1].pair"},
		"a pair without need":  {with(map[string]any{"pair": "aws/x"}), "questions[1].pair"},
		"unknown source":       {with(map[string]any{"source": "hearsay"}), "questions[1].source"},
		"leaving nothing":      {with(map[string]any{"leaving": []any{"x"}}), "questions[1].leaving[0]"},
		"a time of its own":    {with(map[string]any{"at": "2026-01-01T00:00:00Z"}), "questions[1].at"},
		"knowledge of its own": {with(map[string]any{"knownAt": "2026-01-01T00:00:00Z"}), "questions[1].knownAt"},
		"no time":              {with(map[string]any{"at": "yesterday"}), "questions[1].at"},
	} {
		f.residency.questions = nil
		_, err := f.check(&fleetv1.CheckResidencyRequest{}, good, test.question)
		expectFailure(t, err, fleet.ErrInvalid, fmt.Sprintf("field:%q", test.field))
		if f.residency.questions != nil {
			t.Errorf("%s: was asked all the same", name)
		}
	}
	for field, request := range map[string]*fleetv1.CheckResidencyRequest{
		"questions": {}, "facets[1]": {Facets: []string{"key", "kye"}, Questions: []*structpb.Struct{structOf(t, good)}},
		"regions[0]": {Regions: []string{"paris"}, Questions: []*structpb.Struct{structOf(t, good)}},
	} {
		_, err := f.check(request)
		expectFailure(t, err, fleet.ErrInvalid, fmt.Sprintf("field:%q", field))
	}
	many := &fleetv1.CheckResidencyRequest{}
	for i := range 20_001 {
		many.Regions = append(many.Regions, fmt.Sprintf("aws/r%d", i))
	}
	_, err := f.check(many, map[string]any{"classes": []any{"a"}, "facet": "key"})
	expectFailure(t, err, fleet.ErrInvalid, "more than 20000 questions")
}

// TestAQuestionFromAnAnswer: what an answer repeats of a question can be asked.
func TestAQuestionFromAnAnswer(t *testing.T) {
	f := newFixture(t)
	question := fleet.Question{Subject: fleet.Ref{Kind: fleet.KindDataset, Name: "customers"}, Facet: fleet.FacetKey, Region: "aws/eu-west-3"}
	response, err := f.check(&fleetv1.CheckResidencyRequest{}, question)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := response.GetVerdicts()[0].MarshalJSON()
	var verdict fleet.Verdict
	if err == nil {
		err = json.Unmarshal(raw, &verdict)
	}
	if err != nil || !verdict.Allowed || verdict.Subject != question.Subject {
		t.Errorf("got %s, %v", raw, err)
	}
}

func TestBadCallsAboutResidency(t *testing.T) {
	f := newFixture(t)
	f.applyEverything(class)
	client, ctx := f.residencyAs("viewer-token"), t.Context()
	question := func(value map[string]any) *connect.Request[fleetv1.FindRegionsRequest] {
		return connect.NewRequest(&fleetv1.FindRegionsRequest{Question: structOf(t, value)})
	}
	diff := func(documents string, deleted ...string) error {
		request := &fleetv1.DiffPoliciesRequest{Deleted: deleted}
		if documents != "" {
			request.Sources = sources(documents)
		}
		_, err := client.DiffPolicies(ctx, connect.NewRequest(request))
		return err
	}
	_, noQuestion := client.FindRegions(ctx, connect.NewRequest(&fleetv1.FindRegionsRequest{}))
	_, aRegion := client.FindRegions(ctx, question(map[string]any{"classes": []any{"a"}, "facet": "key", "region": "aws/x"}))
	_, noFacet := client.FindRegions(ctx, question(map[string]any{"classes": []any{"a"}}))
	_, noRef := client.ListLocated(ctx, connect.NewRequest(&fleetv1.ListLocatedRequest{Subjects: []string{"customers"}}))
	_, noDataset := client.DatasetHistory(ctx, connect.NewRequest(&fleetv1.DatasetHistoryRequest{}))
	for _, test := range []struct {
		err  error
		kind *fleet.ErrorKind
		text string
	}{
		{noQuestion, fleet.ErrInvalid, `field:"question"`},
		{aRegion, fleet.ErrInvalid, `field:"question.region"`},
		{noFacet, fleet.ErrInvalid, `field:"question.facet"`},
		{noRef, fleet.ErrInvalid, `field:"subjects[0]"`},
		{noDataset, fleet.ErrInvalid, `field:"dataset"`},
		{diff(""), fleet.ErrInvalid, `field:"sources"`},
		{diff(strategy), fleet.ErrInvalid, "no verdict depends on a RolloutStrategy"},
		{diff(policy), fleet.ErrInvalid, "JurisdictionGroup EEA"},
		{diff(class, "Cluster/first"), fleet.ErrInvalid, `field:"deleted[0]"`},
		{diff(class, "ResidencyPolicy/none"), fleet.ErrNotFound, "ResidencyPolicy none"},
	} {
		expectFailure(t, test.err, test.kind, test.text)
	}
}

func TestEvidenceIsExportedAndVerified(t *testing.T) {
	f := newFixture(t)
	asOf := time.Date(2026, 3, 3, 0, 0, 0, 0, time.UTC)
	exported, err := f.residencyAs("compliance-token").ExportEvidence(t.Context(), connect.NewRequest(&fleetv1.ExportEvidenceRequest{
		Title: "For the auditor", Moment: &fleetv1.Moment{AsOf: timestamppb.New(asOf)},
	}))
	if err != nil {
		t.Fatal(err)
	}
	var body fleet.EvidenceBody
	if err := json.Unmarshal(exported.Msg.GetPack(), &body); err != nil || body.Title != "For the auditor" || body.MadeBy != "a compliance" || body.Version != "1.2.3" || !body.Moment.AsOf.Equal(asOf) {
		t.Errorf("got %+v, %v", body, err)
	}
	verified, err := f.residencyAs("viewer-token").VerifyEvidence(t.Context(), connect.NewRequest(&fleetv1.VerifyEvidenceRequest{}))
	if err != nil || !verified.Msg.GetReport().GetFields()["intact"].GetBoolValue() {
		t.Errorf("got %v, %v", verified, err)
	}
	_, err = f.residencyAs("compliance-token").ExportEvidence(t.Context(), connect.NewRequest(&fleetv1.ExportEvidenceRequest{Title: strings.Repeat("x", 5000)}))
	expectFailure(t, err, fleet.ErrInvalid, `field:"title"`)
}
