package server_test

import (
	"errors"
	"maps"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/structpb"

	fleetv1 "github.com/meridian-fleet/meridian/api/fleet/v1"
	"github.com/meridian-fleet/meridian/internal/fleet"
)

var exceptionDay = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// exceptionFixture has a policy and a dataset, on a certain day.
func exceptionFixture(t *testing.T) *fixture {
	t.Helper()
	f := newFixture(t)
	f.clock = exceptionDay
	f.applyEverything(class + group + policy + dataset + workload)
	return f
}

// wanted is the spec of a good request, with changes; nil takes a field away.
func wanted(changes map[string]any) map[string]any {
	spec := map[string]any{
		"policy": "eu-personal-data", "rule": "stays-in-eea", "subject": map[string]any{"kind": "Dataset", "name": "customers"},
		"facets": []any{"storage"}, "scope": map[string]any{"countries": []any{"US"}}, "until": "2026-06-30", "reason": "the merger",
	}
	maps.Copy(spec, changes)
	maps.DeleteFunc(spec, func(_ string, value any) bool { return value == nil })
	return spec
}

func (f *fixture) request(token, name string, spec map[string]any) (fleet.ExceptionStatus, error) {
	response, err := f.residencyAs(token).RequestException(f.t.Context(), connect.NewRequest(&fleetv1.RequestExceptionRequest{Name: name, Spec: structOf(f.t, spec)}))
	if err != nil {
		return fleet.ExceptionStatus{}, err
	}
	return statusIn(f.t, response.Msg.GetException()), nil
}

func (f *fixture) approve(token, name string) (fleet.ExceptionStatus, error) {
	response, err := f.residencyAs(token).ApproveException(f.t.Context(), connect.NewRequest(&fleetv1.ApproveExceptionRequest{Name: name, Comment: "so be it"}))
	if err != nil {
		return fleet.ExceptionStatus{}, err
	}
	return statusIn(f.t, response.Msg.GetException()), nil
}

func (f *fixture) revoke(token, name, reason string) (fleet.ExceptionStatus, error) {
	response, err := f.residencyAs(token).RevokeException(f.t.Context(), connect.NewRequest(&fleetv1.RevokeExceptionRequest{Name: name, Reason: reason}))
	if err != nil {
		return fleet.ExceptionStatus{}, err
	}
	return statusIn(f.t, response.Msg.GetException()), nil
}

func statusIn(t *testing.T, document *structpb.Struct) fleet.ExceptionStatus {
	t.Helper()
	status, err := fleet.StatusOf[fleet.ExceptionStatus](resourceIn(t, document))
	if err != nil {
		t.Fatal(err)
	}
	return status
}

func TestAnExceptionsLife(t *testing.T) {
	f := exceptionFixture(t)
	status, err := f.request("operator-token", "merger", wanted(nil))
	if err != nil || status.Phase != fleet.ExceptionRequested || status.RequestedBy != "a operator" || status.RequestedAt != "2026-03-01T12:00:00Z" {
		t.Fatalf("requested: %+v, %v", status, err)
	}
	status, err = f.approve("approver-token", "merger")
	if err != nil || status.Phase != fleet.ExceptionRequested || len(status.Approvals) != 1 || status.ApprovedAt != "" {
		t.Fatalf("after one approval: %+v, %v", status, err)
	}
	_, err = f.approve("approver-token", "merger")
	expectFailure(t, err, fleet.ErrConflict, "a approver has approved it already", "2 different people")
	f.clock = f.clock.Add(time.Hour)
	status, err = f.approve("approver-2-token", "merger")
	if err != nil || status.Phase != fleet.ExceptionApproved || status.ApprovedAt != "2026-03-01T13:00:00Z" || status.Approvals[1] != (fleet.Approval{By: "another approver", At: status.ApprovedAt, Comment: "so be it"}) {
		t.Fatalf("after two approvals: %+v, %v", status, err)
	}
	_, err = f.approve("everything-token", "merger")
	expectFailure(t, err, fleet.ErrConflict, "it is Approved")
	_, err = f.revoke("compliance-token", "merger", "  ")
	expectFailure(t, err, fleet.ErrInvalid, "reason")
	status, err = f.revoke("compliance-token", "merger", "the merger is off")
	if err != nil || status.Phase != fleet.ExceptionRevoked || status.RevokedBy != "a compliance" || status.RevokedAt != "2026-03-01T13:00:00Z" || status.Message != "the merger is off" || len(status.Approvals) != 2 {
		t.Fatalf("revoked: %+v, %v", status, err)
	}
	_, err = f.revoke("compliance-token", "merger", "again")
	expectFailure(t, err, fleet.ErrConflict, "revoked by a compliance")
	_, err = f.approve("everything-token", "merger")
	expectFailure(t, err, fleet.ErrConflict, "it is Revoked")
	_, err = f.request("operator-token", "merger", wanted(nil))
	expectFailure(t, err, fleet.ErrConflict, "there is one of this name")
}

func TestNobodyApprovesWhatTheyAskedFor(t *testing.T) {
	f := exceptionFixture(t)
	if _, err := f.request("everything-token", "own", wanted(nil)); err != nil {
		t.Fatal(err)
	}
	for _, token := range []string{"everything-token", "shouting-token"} { // one person's name, in other letters
		_, err := f.approve(token, "own")
		expectFailure(t, err, fleet.ErrDenied, "who asked for it cannot approve it")
	}
	if _, err := f.approve("approver-token", "own"); err != nil {
		t.Fatal(err)
	}
	_, err := f.approve("approver-once-more-token", "own")
	expectFailure(t, err, fleet.ErrConflict, "has approved it already")
}

func TestApprovalsAtOnceCountOnce(t *testing.T) {
	f := exceptionFixture(t)
	if _, err := f.request("operator-token", "x", wanted(nil)); err != nil {
		t.Fatal(err)
	}
	var done sync.WaitGroup
	var approved atomic.Int32
	for range 8 {
		done.Go(func() {
			if _, err := f.approve("approver-token", "x"); err == nil {
				approved.Add(1)
			}
		})
	}
	done.Wait()
	status, err := fleet.StatusOf[fleet.ExceptionStatus](f.resource(fleet.KindException, "x"))
	if err != nil || approved.Load() != 1 || len(status.Approvals) != 1 || status.Phase != fleet.ExceptionRequested {
		t.Errorf("%d approvals of one person: %+v, %v", approved.Load(), status, err)
	}
}

func TestRequestsAtOnceAreOne(t *testing.T) {
	f := exceptionFixture(t)
	var done sync.WaitGroup
	var made atomic.Int32
	for i := range 8 {
		done.Go(func() {
			spec := wanted(map[string]any{"reason": strings.Repeat("r", i+1)})
			if _, err := f.request("operator-token", "x", spec); err == nil {
				made.Add(1)
			} else if errors.Is(err, fleet.ErrInvalid) {
				t.Error(err)
			}
		})
	}
	done.Wait()
	if made.Load() != 1 {
		t.Errorf("%d exceptions of one name", made.Load())
	}
}

func TestExpiredExceptionsAreOver(t *testing.T) {
	f := exceptionFixture(t)
	if _, err := f.request("operator-token", "x", wanted(map[string]any{"until": "2026-03-01"})); err != nil {
		t.Errorf("through the end of the day: %v", err)
	}
	f.clock = time.Date(2026, 3, 1, 23, 59, 59, 0, time.UTC)
	if _, err := f.approve("approver-token", "x"); err != nil {
		t.Errorf("the last second of the day: %v", err)
	}
	f.clock = f.clock.Add(time.Second)
	_, err := f.approve("approver-2-token", "x")
	expectFailure(t, err, fleet.ErrConflict, "it ended with 2026-03-01")
	_, err = f.revoke("compliance-token", "x", "over")
	expectFailure(t, err, fleet.ErrConflict, "it ended with 2026-03-01")
}

func TestBadRequestsAreRefused(t *testing.T) {
	f := exceptionFixture(t)
	before := f.revision()
	long := strings.Repeat("x", 5000)
	for name, test := range map[string]struct {
		name    string
		changes map[string]any
		faults  []string // FIELD: part of the message
	}{
		"unknown field":     {"x", map[string]any{"colour": "red"}, []string{"spec.colour: unknown field"}},
		"not an object":     {"x", map[string]any{"subject": "customers"}, []string{"spec.subject: want an object"}},
		"name":              {"Not A Name", nil, []string{"name: "}},
		"no policy":         {"x", map[string]any{"policy": "none"}, []string{"spec.policy: there is no ResidencyPolicy none"}},
		"no rule":           {"x", map[string]any{"rule": "none"}, []string{"spec.rule: eu-personal-data has no rule"}},
		"an obligation":     {"x", map[string]any{"rule": "record"}, []string{"spec.rule: record is an obligation"}},
		"Meridian's own":    {"x", map[string]any{"policy": "meridian", "rule": "no-rule"}, []string{"spec.policy: "}},
		"no subject":        {"x", map[string]any{"subject": nil}, []string{"spec.subject.kind: ", "spec.subject.name: "}},
		"unknown subject":   {"x", map[string]any{"subject": map[string]any{"kind": "Dataset", "name": "none"}}, []string{"spec.subject.name: there is no Dataset none"}},
		"a subject of kind": {"x", map[string]any{"subject": map[string]any{"kind": "Region", "name": "aws/eu-west-3"}}, []string{"spec.subject.kind: "}},
		"unknown facet":     {"x", map[string]any{"facets": []any{"stroage"}}, []string{"spec.facets[0]: "}},
		"no facet":          {"x", map[string]any{"facets": []any{}}, []string{"spec.facets: "}},
		"no scope":          {"x", map[string]any{"scope": map[string]any{}}, []string{"spec.scope: "}},
		"unknown places":    {"x", map[string]any{"scope": map[string]any{"groups": []any{"EAA"}, "regions": []any{"aws/eu-west-3", "aws/eu-west-9"}}}, []string{"spec.scope.groups[0]: there is no JurisdictionGroup EAA", "spec.scope.regions[1]: no provider has the region aws/eu-west-9"}},
		"no end":            {"x", map[string]any{"until": nil}, []string{"spec.until: is missing"}},
		"no date":           {"x", map[string]any{"until": "2026-02-29"}, []string{"spec.until: "}},
		"past":              {"x", map[string]any{"until": "2026-02-28"}, []string{"spec.until: 2026-02-28 is past"}},
		"too long":          {"x", map[string]any{"until": "2027-03-05"}, []string{"spec.until: more than 366 days"}},
		"turned round":      {"x", map[string]any{"from": "2026-07-02"}, []string{"spec.until: ends before it begins"}},
		"no reason":         {"x", map[string]any{"reason": " "}, []string{"spec.reason: is missing"}},
		"a novel":           {"x", map[string]any{"reason": long}, []string{"spec.reason: longer than"}},
		"several":           {"x", map[string]any{"reason": nil, "policy": "none", "until": nil}, []string{"spec.policy: ", "spec.until: ", "spec.reason: "}},
	} {
		_, err := f.request("operator-token", test.name, wanted(test.changes))
		expectFailure(t, err, fleet.ErrInvalid)
		_, found := detail(t, err)
		var got []string
		for _, fault := range found.GetFaults() {
			got = append(got, fault.GetField()+": "+fault.GetMessage())
			if fault.GetLine() != 0 {
				t.Errorf("%s: a line in a file that nobody wrote: %v", name, fault)
			}
		}
		for _, want := range test.faults {
			if !strings.Contains(strings.Join(got, "\n"), want) {
				t.Errorf("%s: want %q, got %q", name, want, got)
			}
		}
		if len(got) != len(test.faults) {
			t.Errorf("%s: got %q, want %q", name, got, test.faults)
		}
	}
	if f.revision() != before {
		t.Error("something was written")
	}
	_, err := f.residencyAs("operator-token").RequestException(t.Context(), connect.NewRequest(&fleetv1.RequestExceptionRequest{Name: "x"}))
	expectFailure(t, err, fleet.ErrInvalid, "spec")
}

func TestWhatMayHaveBeenMeant(t *testing.T) {
	f := exceptionFixture(t)
	for want, changes := range map[string]map[string]any{
		"did you mean eu-personal-data?": {"policy": "eu-personal-dta"},
		"did you mean customers?":        {"subject": map[string]any{"kind": "Dataset", "name": "custommers"}},
		"did you mean EEA?":              {"scope": map[string]any{"groups": []any{"eea"}}},
	} {
		_, err := f.request("operator-token", "x", wanted(changes))
		expectFailure(t, err, fleet.ErrInvalid, want)
	}
}

func TestExceptionsThatAreNotThere(t *testing.T) {
	f := exceptionFixture(t)
	_, err := f.approve("approver-token", "none")
	expectFailure(t, err, fleet.ErrNotFound, "Exception none")
	_, err = f.revoke("compliance-token", "none", "because")
	expectFailure(t, err, fleet.ErrNotFound, "Exception none")
	_, err = f.approve("approver-token", "")
	expectFailure(t, err, fleet.ErrInvalid, "name")
}

func TestChosenNamesDiffer(t *testing.T) {
	f := exceptionFixture(t)
	names := map[string]bool{}
	for range 3 {
		response, err := f.residencyAs("admin-token").RequestException(t.Context(), connect.NewRequest(&fleetv1.RequestExceptionRequest{Spec: structOf(t, wanted(nil))}))
		if err != nil {
			t.Fatal(err)
		}
		names[resourceIn(t, response.Msg.GetException()).Metadata.Name] = true
	}
	if len(names) != 3 {
		t.Errorf("got the names %v", names)
	}
}

// TestAnExceptionIsNeverEdited: there is no way to an exception's spec but the
// request that made it.
func TestAnExceptionIsNeverEdited(t *testing.T) {
	f := exceptionFixture(t)
	if _, err := f.request("operator-token", "x", wanted(nil)); err != nil {
		t.Fatal(err)
	}
	before := f.resource(fleet.KindException, "x")
	_, err := f.applyAs("everything-token", "\napiVersion: meridian.dev/v1alpha1\nkind: Exception\nmetadata: {name: x}\nspec: {until: 2027-01-01}\n")
	expectFailure(t, err, fleet.ErrInvalid, "approved by two people, not declared")
	_, err = f.as("everything-token").Delete(t.Context(), connect.NewRequest(&fleetv1.DeleteRequest{Kind: "Exception", Name: "x"}))
	expectFailure(t, err, fleet.ErrInvalid, "records this kind itself")
	_, err = f.request("everything-token", "x", wanted(map[string]any{"until": "2026-12-31"}))
	expectFailure(t, err, fleet.ErrConflict, "there is one of this name")
	if after := f.resource(fleet.KindException, "x"); string(after.Spec) != string(before.Spec) || string(after.Status) != string(before.Status) {
		t.Errorf("it was %s, is %s", before.Spec, after.Spec)
	}
}

// TestHalfRecordedExceptionIsNoOne: a crash between the two writes of a
// request leaves a spec that nobody is known to have asked for.
func TestHalfRecordedExceptionIsNoOne(t *testing.T) {
	f := exceptionFixture(t)
	if _, err := f.request("operator-token", "x", wanted(nil)); err != nil {
		t.Fatal(err)
	}
	f.setStatus(fleet.KindException, "x", nil)
	_, err := f.approve("approver-token", "x")
	expectFailure(t, err, fleet.ErrConflict, "not recorded in full")
}

func grouped(name, version, members string) string {
	return "\napiVersion: meridian.dev/v1alpha1\nkind: JurisdictionGroup\nmetadata: {name: " + name + "}\nspec: {version: '" + version + "', members: [" + members + "]}\n---"
}

// TestAnExceptionMeanwhileIsNotEnlarged: one that another fleetd records after
// this one looked counts as well, whatever else is written with the group.
func TestAnExceptionMeanwhileIsNotEnlarged(t *testing.T) {
	for name, besides := range map[string]string{"alone": "", "with a cluster": cluster, "with a dataset": dataset} {
		t.Run(name, func(t *testing.T) {
			f := exceptionFixture(t)
			f.applyEverything(profile + region + grouped("friends", "1", "{country: US}"))
			f.meanwhile = func() {
				f.write(fleet.KindException, "x", fleet.ExceptionSpec{
					Subject: fleet.Ref{Kind: fleet.KindDataset, Name: "customers"}, Scope: fleet.Scope{Groups: []string{"friends"}}, Period: fleet.Period{Until: "2999-01-01"},
				})
				f.setStatus(fleet.KindException, "x", fleet.ExceptionStatus{Phase: fleet.ExceptionRequested, RequestedBy: "ann"})
			}
			_, err := f.applyAs("everything-token", grouped("friends", "2", "{country: US}, {country: CA}")+besides)
			expectFailure(t, err, fleet.ErrConflict, "Exception x")
		})
	}
}

// A group that an exception's scope names cannot come to mean more places,
// nor one inside it; one that is excepted, no fewer.
func TestAGroupDoesNotEnlargeAnException(t *testing.T) {
	f := exceptionFixture(t)
	f.applyEverything(grouped("friends", "1", "{country: US}, {group: near}") + grouped("near", "1", "{country: MX}") + grouped("never", "1", "{country: CU}, {country: KP}"))
	scope := map[string]any{"groups": []any{"friends"}, "except": map[string]any{"groups": []any{"never"}}}
	if _, err := f.request("operator-token", "x", wanted(map[string]any{"scope": scope})); err != nil {
		t.Fatal(err)
	}
	for name, larger := range map[string]string{
		"a member more":         grouped("friends", "2", "{country: US}, {country: CA}, {group: near}"),
		"for longer":            grouped("friends", "2", "{country: US, from: 2020-01-01}, {group: near}"),
		"a member of a member":  grouped("near", "2", "{country: MX}, {country: CA}"),
		"fewer that are exempt": grouped("never", "2", "{country: KP}"),
	} {
		_, err := f.applyAs("compliance-token", larger)
		expectFailure(t, err, fleet.ErrConflict, "Exception x", `field:"spec.members"`)
		if t.Failed() {
			t.Fatal(name)
		}
	}
	for name, smaller := range map[string]string{
		"fewer":               grouped("friends", "3", "{country: US}"),
		"more that is exempt": grouped("never", "3", "{country: CU}, {country: KP}, {country: IR}"),
		"another group":       strings.Replace(group, `version: "1", members: [`, `version: "2", members: [{country: SE}, `, 1),
	} {
		if _, err := f.applyAs("compliance-token", smaller); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := f.revoke("compliance-token", "x", "over"); err != nil {
		t.Fatal(err)
	}
	if _, err := f.applyAs("compliance-token", grouped("friends", "4", "{country: US}, {country: CA}")); err != nil {
		t.Errorf("after the exception: %v", err)
	}
}
