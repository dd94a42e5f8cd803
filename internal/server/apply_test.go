package server_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"connectrpc.com/connect"

	fleetv1 "github.com/meridian-fleet/meridian/api/fleet/v1"
	"github.com/meridian-fleet/meridian/internal/fleet"
)

func TestApplyDeclares(t *testing.T) {
	f := newFixture(t)
	if got := actions(f.apply(profile + region)); got != "ClusterProfile/small created, Region/aws/eu-west-3 created" {
		t.Errorf("first apply: %s", got)
	}
	status, err := fleet.StatusOf[fleet.RegionStatus](f.resource(fleet.KindRegion, "aws/eu-west-3"))
	if err != nil || status.Phase != fleet.RegionDeclared {
		t.Errorf("a new region has status %+v, %v", status, err)
	}
	before := f.revision()
	if got := actions(f.apply(profile + region)); got != "ClusterProfile/small unchanged, Region/aws/eu-west-3 unchanged" {
		t.Errorf("second apply: %s", got)
	}
	if f.revision() != before {
		t.Error("an apply that changes nothing left history")
	}
	history, err := f.History(t.Context(), connect.NewRequest(&fleetv1.HistoryRequest{Kind: "Region", Name: "aws/eu-west-3"}))
	if err != nil {
		t.Fatal(err)
	}
	if changes := history.Msg.GetChanges(); len(changes) == 0 || changes[0].GetActor() != "a admin" || changes[0].GetAction() != "created" {
		t.Errorf("history does not say who created it: %v", changes)
	}
}

func actions(outcomes []*fleetv1.Outcome) string {
	var all []string
	for _, outcome := range outcomes {
		all = append(all, fmt.Sprintf("%s/%s %s", outcome.GetKind(), outcome.GetName(), outcome.GetAction()))
	}
	return strings.Join(all, ", ")
}

func TestDryRunWritesNothing(t *testing.T) {
	f := newFixture(t)
	before := f.revision()
	response, err := f.Apply(t.Context(), connect.NewRequest(&fleetv1.ApplyRequest{Sources: sources(profile + region), DryRun: true}))
	if err != nil {
		t.Fatal(err)
	}
	if got := actions(response.Msg.GetOutcomes()); !strings.Contains(got, "Region/aws/eu-west-3 created") {
		t.Errorf("dry run: %s", got)
	}
	if f.revision() != before {
		t.Error("a dry run wrote something")
	}
}

func TestBadInputIsRefusedWhole(t *testing.T) {
	for name, test := range map[string]struct {
		documents string
		faults    []string // file:line field: part of the message
	}{
		"malformed":        {profile + "\nkind: [", []string{"fleet.yaml:9 : "}},
		"unknown field":    {strings.Replace(region, "{profile: small}", "{profile: small, colour: red}", 1), []string{"fleet.yaml:5 spec.colour: "}},
		"wrong type":       {strings.Replace(strategy, "1}", "many}", 1), []string{"fleet.yaml:5 spec.maxParallel: "}},
		"unknown kind":     {strings.Replace(region, "Region", "Planet", 1), []string{"fleet.yaml:3 kind: "}},
		"recorded kind":    {strings.Replace(region, "Region", "Rollout", 1), []string{"fleet.yaml:3 kind: "}},
		"unknown region":   {profile + strings.Replace(region, "eu-west-3", "eu-west-9", 1), []string{"fleet.yaml:11 metadata.name: unknown region"}},
		"unknown profile":  {region, []string{"fleet.yaml:5 spec.profile: there is no ClusterProfile small"}},
		"unknown baseline": {profile + strings.Replace(region, "small}", "small, baseline: none@1.0.0}", 1), []string{"fleet.yaml:12 spec.baseline: there is no Baseline none@1.0.0"}},
		"duplicate":        {profile + region + region, []string{"fleet.yaml:"}},
		"several": {
			strings.Replace(strategy, "1}", "many}", 1) + strings.Replace(region, "{profile: small}", "{colour: red}", 1),
			[]string{"fleet.yaml:5 spec.maxParallel: ", "fleet.yaml:10 spec.colour: "},
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			before := f.revision()
			_, err := f.Apply(t.Context(), connect.NewRequest(&fleetv1.ApplyRequest{Sources: sources(test.documents)}))
			expectFailure(t, err, fleet.ErrInvalid)
			_, found := detail(t, err)
			var got []string
			for _, fault := range found.GetFaults() {
				got = append(got, fmt.Sprintf("%s:%d %s: %s", fault.GetFile(), fault.GetLine(), fault.GetField(), fault.GetMessage()))
			}
			for _, want := range test.faults {
				if !strings.Contains(strings.Join(got, "\n"), want) {
					t.Errorf("want %q, got\n%s", want, strings.Join(got, "\n"))
				}
			}
			if f.revision() != before {
				t.Error("something was written")
			}
		})
	}
}

func TestFaultsOfDocumentsAndBundlesComeTogether(t *testing.T) {
	f := newFixture(t)
	_, err := f.Apply(t.Context(), connect.NewRequest(&fleetv1.ApplyRequest{
		Sources: sources("kind: Planet"), Bundles: []*fleetv1.BundleSource{{Path: "bundles/empty"}},
	}))
	_, found := detail(t, err)
	files := map[string]bool{}
	for _, fault := range found.GetFaults() {
		files[fault.GetFile()] = true
	}
	if !files["fleet.yaml"] || !files["bundles/empty"] {
		t.Errorf("faults of both are wanted, got %v", found.GetFaults())
	}
}

func TestTooMuchIsRefused(t *testing.T) {
	f := newFixture(t)
	_, err := f.Apply(t.Context(), connect.NewRequest(&fleetv1.ApplyRequest{
		Sources: []*fleetv1.Source{{Path: "huge.yaml", Content: bytes.Repeat([]byte("# filler\n"), 5<<20/9)}},
	}))
	expectFailure(t, err, fleet.ErrInvalid, "huge.yaml", "at most 4 MiB")
	_, err = f.Apply(t.Context(), connect.NewRequest(&fleetv1.ApplyRequest{
		Sources: []*fleetv1.Source{{Path: "huge.yaml", Content: make([]byte, 65<<20)}},
	}))
	if connect.CodeOf(err) != connect.CodeResourceExhausted {
		t.Errorf("65 MiB in one message: %v", err)
	}
}

func TestABaselineVersionNeverChanges(t *testing.T) {
	f := newFixture(t)
	if err := f.applyBundle("web@1.0.0", "some"); err != nil {
		t.Fatal(err)
	}
	if err := f.applyBundle("web@1.0.0", "some"); err != nil {
		t.Errorf("the same content again: %v", err)
	}
	before := f.revision()
	err := f.applyBundle("web@1.0.0", "other content")
	expectFailure(t, err, fleet.ErrInvalid, "bundles/web@1.0.0/baseline.yaml", "a version never changes")
	if f.revision() != before {
		t.Error("something was written")
	}
	f.apply(profile + strings.Replace(region, "small}", "small, baseline: web@1.0.0}", 1))
}
