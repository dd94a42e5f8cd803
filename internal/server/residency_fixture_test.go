package server_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"sync"
	"testing"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/structpb"

	fleetv1 "github.com/meridian-fleet/meridian/api/fleet/v1"
	"github.com/meridian-fleet/meridian/api/fleet/v1/fleetv1connect"
	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/residency"
	"github.com/meridian-fleet/meridian/internal/server"
)

// fakeResidency remembers what it was asked and answers what a test tells it
// to. What the real one answers is tested where all of it is wired.
type fakeResidency struct {
	mutex     sync.Mutex
	moment    fleet.Moment
	questions []fleet.Question
	subjects  []fleet.Ref
	changed   []fleet.Resource
	deleted   []fleet.Ref
	warnings  []fleet.PolicyWarning
	places    []fleet.PlaceDiff
	admitted  []fleet.Resource
	admission server.Admission
	onAdmit   func() // runs while a write is judged
	err       error
}

func (r *fakeResidency) Check(_ context.Context, moment fleet.Moment, questions []fleet.Question) ([]fleet.Verdict, error) {
	r.moment, r.questions = moment, questions
	verdicts := make([]fleet.Verdict, 0, len(questions))
	for _, question := range questions {
		verdicts = append(verdicts, fleet.Verdict{Question: question, Allowed: question.Region == "aws/eu-west-3"})
	}
	return verdicts, r.err
}

func (r *fakeResidency) Find(_ context.Context, moment fleet.Moment, question fleet.Question, all bool) ([]fleet.Possible, error) {
	r.moment, r.questions = moment, []fleet.Question{question}
	possible := []fleet.Possible{{Region: "aws/eu-west-3", Allowed: true, Rank: 1}}
	if all {
		possible = append(possible, fleet.Possible{Region: "gcp/europe-west4", Why: "too far"})
	}
	return possible, r.err
}

func (r *fakeResidency) Located(_ context.Context, moment fleet.Moment, subjects []fleet.Ref) ([]fleet.Located, error) {
	r.moment, r.subjects = moment, subjects
	return []fleet.Located{{Region: "aws/eu-west-3"}}, r.err
}

func (r *fakeResidency) History(_ context.Context, moment fleet.Moment, dataset string) ([]fleet.ResidencyEvent, error) {
	r.moment = moment
	return []fleet.ResidencyEvent{{Kind: "declared", Text: dataset}}, r.err
}

func (r *fakeResidency) Audit(_ context.Context, moment fleet.Moment) (fleet.AuditReport, error) {
	r.moment = moment
	return fleet.AuditReport{Moment: moment, Violations: 3}, r.err
}

func (r *fakeResidency) Diff(_ context.Context, moment fleet.Moment, changed []fleet.Resource, deleted []fleet.Ref) (fleet.PolicyDiff, error) {
	r.moment, r.changed, r.deleted = moment, changed, deleted
	return fleet.PolicyDiff{Changed: []fleet.Ref{changed[0].Ref()}, Places: r.places}, r.err
}

func (r *fakeResidency) Review(_ context.Context, changed []fleet.Resource) ([]fleet.PolicyWarning, error) {
	r.changed = changed
	return r.warnings, r.err
}

func (r *fakeResidency) Documents(_ context.Context, moment fleet.Moment, kind fleet.Kind) ([]fleet.Resource, error) {
	r.moment = moment
	return []fleet.Resource{{APIVersion: fleet.APIVersion, Kind: kind, Metadata: fleet.Metadata{Name: "then"}}}, r.err
}

func (r *fakeResidency) Catalog(_ context.Context, moment fleet.Moment) ([]fleet.RegionFacts, error) {
	r.moment = moment
	return []fleet.RegionFacts{{Provider: "gcp", ID: "europe-west4", Country: "NL"}, {Provider: "aws", ID: "eu-west-3", Country: "FR"}}, r.err
}

func (r *fakeResidency) Report(_ context.Context, moment fleet.Moment, title, actor, version string) (fleet.EvidenceBody, error) {
	return fleet.EvidenceBody{Title: title, Moment: moment, MadeBy: actor, Version: version}, r.err
}

func (r *fakeResidency) Admit(_ context.Context, _ string, changed []fleet.Resource) (server.Admission, error) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.admitted = changed
	if r.onAdmit != nil {
		r.onAdmit()
	}
	return r.admission, r.err
}

// fakeEvidence seals as JSON.
type fakeEvidence struct{ err error }

func (e *fakeEvidence) Export(_ context.Context, body fleet.EvidenceBody) ([]byte, error) {
	raw, err := json.Marshal(body)
	return raw, errors.Join(err, e.err)
}

func (e *fakeEvidence) Verify(context.Context) (fleet.EvidenceReport, error) {
	return fleet.EvidenceReport{Intact: true, Size: 7}, e.err
}

// rules are the real ones.
type rules struct{}

func (rules) CheckException(spec fleet.ExceptionSpec) error {
	var faults []error
	for _, problem := range residency.ValidateException(spec) {
		faults = append(faults, fleet.Errorf(fleet.ErrInvalid, "%s", problem.Message).At(fleet.Position{}, problem.Field))
	}
	return errors.Join(faults...)
}

func (rules) Span(period fleet.Period) (begins, ends time.Time, err error) {
	begins, errBegins := residency.Begins(period, time.UTC)
	ends, errEnds := residency.Ends(period, time.UTC)
	return begins, ends, errors.Join(errBegins, errEnds)
}

// residencyAs is a client of the residency service with a bearer token.
func (f *fixture) residencyAs(token string) fleetv1connect.ResidencyServiceClient {
	return fleetv1connect.NewResidencyServiceClient(&http.Client{Transport: bearer(token)}, f.url)
}

// applyAs applies documents as the user of a token.
func (f *fixture) applyAs(token, documents string) (*fleetv1.ApplyResponse, error) {
	response, err := f.as(token).Apply(f.t.Context(), connect.NewRequest(&fleetv1.ApplyRequest{Sources: sources(documents)}))
	if err != nil {
		return nil, err
	}
	return response.Msg, nil
}

// structOf gives a value the shape it travels in.
func structOf(t *testing.T, value any) *structpb.Struct {
	t.Helper()
	raw, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	result := &structpb.Struct{}
	if err := result.UnmarshalJSON(raw); err != nil {
		t.Fatal(err)
	}
	return result
}

func resourceIn(t *testing.T, document *structpb.Struct) fleet.Resource {
	t.Helper()
	raw, err := document.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	var resource fleet.Resource
	if err := json.Unmarshal(raw, &resource); err != nil {
		t.Fatal(err)
	}
	return resource
}
