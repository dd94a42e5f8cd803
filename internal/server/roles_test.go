package server_test

import (
	"testing"

	"connectrpc.com/connect"

	fleetv1 "github.com/meridian-fleet/meridian/api/fleet/v1"
	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/server"
)

const (
	class = `
apiVersion: meridian.dev/v1alpha1
kind: DataClass
metadata: {name: personal}
spec: {}
---
apiVersion: meridian.dev/v1alpha1
kind: DataClass
metadata: {name: personal.eu}
spec: {}
---`
	group = `
apiVersion: meridian.dev/v1alpha1
kind: JurisdictionGroup
metadata: {name: EEA}
spec: {version: "1", members: [{country: FR}, {country: NL}]}
---`
	policy = `
apiVersion: meridian.dev/v1alpha1
kind: ResidencyPolicy
metadata: {name: eu-personal-data}
spec:
  version: "1"
  effective: {from: 2020-01-01}
  appliesTo: {classes: [personal.eu]}
  rules:
  - {name: stays-in-eea, facets: [storage, processing], allowOnly: {groups: [EEA]}, cites: GDPR Art. 44}
  - {name: record, facets: [storage], obligation: {action: record, text: record it}}
---`
	dataset = `
apiVersion: meridian.dev/v1alpha1
kind: Dataset
metadata: {name: customers}
spec:
  classes: [personal.eu]
  bindings: [{name: main, facets: [storage], region: aws/eu-west-3}]
---`
	workload = `
apiVersion: meridian.dev/v1alpha1
kind: Workload
metadata: {name: shop}
spec:
  datasets: [{dataset: customers}]
  regions: [aws/eu-west-3]
---`
)

// written are a document of every kind, and what it needs to be there.
var written = map[fleet.Kind]struct{ document, needs string }{
	fleet.KindRegion:            {region, profile},
	fleet.KindCluster:           {cluster, profile + region},
	fleet.KindClusterProfile:    {profile, ""},
	fleet.KindRolloutStrategy:   {strategy, ""},
	fleet.KindResidencyPolicy:   {policy, class + group},
	fleet.KindJurisdictionGroup: {group, ""},
	fleet.KindDataClass:         {class, ""},
	fleet.KindDataset:           {dataset, class},
	fleet.KindWorkload:          {workload, class + dataset},
}

// names of the documents of each kind.
var declaredNames = map[fleet.Kind]string{
	fleet.KindRegion: "aws/eu-west-3", fleet.KindCluster: "first", fleet.KindClusterProfile: "small", fleet.KindRolloutStrategy: "careful",
	fleet.KindResidencyPolicy: "eu-personal-data", fleet.KindJurisdictionGroup: "EEA", fleet.KindDataClass: "personal.eu",
	fleet.KindDataset: "customers", fleet.KindWorkload: "shop", fleet.KindBaseline: "web@1.0.0",
}

func TestEveryKindTakesItsRole(t *testing.T) {
	table := readTable(t, "kinds.txt")
	for _, kind := range fleet.DeclaredKinds {
		allowed, thoughtOf := table[string(kind)]
		if !thoughtOf {
			t.Errorf("nobody has said who may write a %s", kind)
		}
		for _, role := range server.Roles {
			t.Run(string(kind)+" by "+string(role), func(t *testing.T) {
				f := newFixture(t)
				f.mayWrite(kind, string(role)+"-token", allowed[role])
			})
		}
	}
}

func (f *fixture) mayWrite(kind fleet.Kind, token string, may bool) {
	f.t.Helper()
	request := &fleetv1.ApplyRequest{Sources: sources(written[kind].document)}
	if kind == fleet.KindBaseline {
		request = &fleetv1.ApplyRequest{Bundles: []*fleetv1.BundleSource{{
			Path: "web", Files: []*fleetv1.Source{{Path: "baseline.yaml", Content: []byte("web@1.0.0\n")}},
		}}}
	}
	f.applyEverything(written[kind].needs)
	f.expectAllowed("apply", may, func(token string) error {
		_, err := f.as(token).Apply(f.t.Context(), connect.NewRequest(request))
		return err
	}, token)
	if !may {
		if _, err := f.as("everything-token").Apply(f.t.Context(), connect.NewRequest(request)); err != nil {
			f.t.Fatal(err)
		}
	}
	f.expectAllowed("delete", may, func(token string) error {
		_, err := f.as(token).Delete(f.t.Context(), connect.NewRequest(&fleetv1.DeleteRequest{Kind: string(kind), Name: declaredNames[kind]}))
		return err
	}, token)
}

func (f *fixture) expectAllowed(what string, may bool, call func(string) error, token string) {
	f.t.Helper()
	before := f.revision()
	err := call(token)
	if may {
		if err != nil {
			f.t.Errorf("%s: %v", what, err)
		}
		return
	}
	expectFailure(f.t, err, fleet.ErrDenied, "may not")
	if f.revision() != before {
		f.t.Errorf("%s was refused and wrote something", what)
	}
}

// applyEverything applies documents as a user with every role.
func (f *fixture) applyEverything(documents string) {
	f.t.Helper()
	if _, err := f.applyAs("everything-token", documents); err != nil {
		f.t.Fatal(err)
	}
}

func TestOneForbiddenDocumentRefusesAll(t *testing.T) {
	f := newFixture(t)
	f.applyEverything(class)
	before := f.revision()
	_, err := f.applyAs("operator-token", dataset+strategy+group)
	expectFailure(t, err, fleet.ErrDenied, "a operator may not apply a RolloutStrategy", "it takes the role admin",
		"a operator may not apply a JurisdictionGroup", "it takes the role compliance", `line:10`)
	if _, found := detail(t, err); len(found.GetFaults()) != 2 {
		t.Errorf("got %v", found.GetFaults())
	}
	if f.revision() != before {
		t.Error("something was written")
	}
}

func TestWhoAmI(t *testing.T) {
	f := newFixture(t)
	response, err := f.residencyAs("compliance-token").WhoAmI(t.Context(), connect.NewRequest(&fleetv1.WhoAmIRequest{}))
	if err != nil || response.Msg.GetUser() != "a compliance" || len(response.Msg.GetRoles()) != 1 || response.Msg.GetRoles()[0] != "compliance" {
		t.Errorf("got %v, %v", response, err)
	}
}
