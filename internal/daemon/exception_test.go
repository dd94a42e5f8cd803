package daemon

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/structpb"

	fleetv1 "github.com/meridian-fleet/meridian/api/fleet/v1"
	"github.com/meridian-fleet/meridian/internal/fleet"
)

// TestAnExceptionOpensOnePlaceForAWhile follows one exception through all its
// life, as it is wired: what it lets through, what not, and what is recorded.
func TestAnExceptionOpensOnePlaceForAWhile(t *testing.T) {
	t.Parallel()
	g := newGame(t)
	defer g.close()
	g.caller = "boss"
	if err := g.apply(append(gameGroups("1", false), gamePolicies("1", false, false)...)...); err != nil {
		t.Fatal(err)
	}
	place := func(caller string, regions ...string) error {
		g.caller = caller
		spec := fleet.DatasetSpec{Classes: []string{"personal.eu"}, Facts: map[string]fleet.DataFact{"secrecy": {Value: []byte(`"none"`)}}}
		for i, region := range regions {
			spec.Bindings = append(spec.Bindings, fleet.Binding{Name: fmt.Sprint("b", i), Facets: []fleet.Facet{fleet.FacetStorage}, Region: region})
		}
		return g.apply(made(fleet.KindDataset, "one", spec))
	}
	denied := func(what string, err error, texts ...string) {
		t.Helper()
		if connect.CodeOf(err) != connect.CodePermissionDenied {
			t.Errorf("%s: %v", what, err)
		}
		for _, text := range texts {
			if !strings.Contains(fmt.Sprint(err), text) {
				t.Errorf("%s: %v does not say %q", what, err, text)
			}
		}
	}
	allowed := func(what string, err error) {
		t.Helper()
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}

	allowed("at home", place("op", "azure/westeurope"))
	denied("abroad", place("op", "azure/westeurope", "azure/eastus"), "spec.bindings[1].region", "eu/stays", "Art. stays", "azure/westeurope")
	if last := g.lastDecision(t); last.Allowed || last.Act.Actor != "op" || last.Verdicts[0].Region != "azure/eastus" {
		t.Errorf("recorded was %+v", last)
	}
	allowed("the request", g.ask("op", fleet.ExceptionSpec{
		Policy: "eu", Rule: "stays", Subject: fleet.Ref{Kind: fleet.KindDataset, Name: "one"}, Facets: []fleet.Facet{fleet.FacetStorage},
		Scope: fleet.Scope{Regions: []string{"azure/eastus"}}, Period: fleet.Period{Until: g.now().AddDate(0, 1, 0).Format(time.RFC3339)}, Reason: "the merger",
	}))
	denied("asked for only", place("op", "azure/westeurope", "azure/eastus"))
	denied("an approval by who is no approver", g.approve("mallory"))
	allowed("the first approval", g.approve("first"))
	denied("approved once", place("mallory", "azure/westeurope", "azure/eastus"))
	allowed("the second approval", g.approve("second"))

	denied("another place", place("op", "azure/westeurope", "aws/us-east-1"), "eu/stays")
	allowed("the place", place("op", "azure/westeurope", "azure/eastus"))
	if last := g.lastDecision(t); !last.Allowed || len(last.Verdicts[0].Exceptions) != 1 || last.Verdicts[0].Exceptions[0].Name != "x" {
		t.Errorf("recorded was %+v", last)
	}
	g.expectViolations(t, 0)

	g.offset = 40 * 24 * time.Hour
	g.expectViolations(t, 1)
	denied("another store there, afterwards", place("op", "azure/westeurope", "azure/eastus", "azure/eastus"), "spec.bindings[2].region")
	allowed("what was there stays as it was", place("op", "azure/westeurope", "azure/eastus"))
	allowed("leaving", place("op", "azure/westeurope"))
	g.expectViolations(t, 0)
	denied("coming back", place("op", "azure/westeurope", "azure/eastus"))
}

// TestARevokedExceptionIsOver at once, also for what it let through.
func TestARevokedExceptionIsOver(t *testing.T) {
	t.Parallel()
	g := newGame(t)
	defer g.close()
	g.caller = "boss"
	workload := func(regions ...string) fleet.Resource {
		return made(fleet.KindWorkload, "shop", fleet.WorkloadSpec{Datasets: []fleet.DatasetUse{{Dataset: "one"}}, Regions: regions})
	}
	documents := append(gameGroups("1", false), gamePolicies("1", false, false)...)
	documents = append(documents, made(fleet.KindDataset, "one", fleet.DatasetSpec{Classes: []string{"payments.in"}}), workload())
	steps := []error{
		g.apply(documents...),
		g.ask("op", fleet.ExceptionSpec{
			Policy: "india", Rule: "processing", Subject: fleet.Ref{Kind: fleet.KindWorkload, Name: "shop"}, Facets: []fleet.Facet{fleet.FacetProcessing},
			Scope: fleet.Scope{Countries: []string{"US"}}, Period: fleet.Period{Until: g.now().AddDate(0, 1, 0).Format(time.DateOnly)}, Reason: "support",
		}),
		g.approve("second"), g.approve("boss"),
	}
	g.caller = "op"
	steps = append(steps, g.apply(workload("aws/us-east-1")))
	g.caller = "officer"
	_, err := g.residency().RevokeException(g.ctx, connect.NewRequest(&fleetv1.RevokeExceptionRequest{Name: "x", Reason: "no longer"}))
	if err := errors.Join(append(steps, err)...); err != nil {
		t.Fatal(err)
	}
	g.expectViolations(t, 1)
	g.caller = "mallory"
	if err := g.apply(workload("aws/us-east-1", "azure/eastus")); connect.CodeOf(err) != connect.CodePermissionDenied {
		t.Errorf("another place after the revocation: %v", err)
	}
	if err := g.apply(workload("aws/ap-south-1")); err != nil {
		t.Errorf("moving home: %v", err)
	}
	g.expectViolations(t, 0)
}

// ask requests the exception x.
func (g *game) ask(caller string, spec fleet.ExceptionSpec) error {
	g.caller = caller
	asked := &structpb.Struct{}
	if err := asked.UnmarshalJSON(asJSON(g.t, spec)); err != nil {
		return err
	}
	_, err := g.residency().RequestException(g.ctx, connect.NewRequest(&fleetv1.RequestExceptionRequest{Name: "x", Spec: asked}))
	return err
}

func (g *game) approve(caller string) error {
	g.caller = caller
	_, err := g.residency().ApproveException(g.ctx, connect.NewRequest(&fleetv1.ApproveExceptionRequest{Name: "x"}))
	return err
}

// lastDecision is the one recorded last.
func (g *game) lastDecision(t *testing.T) fleet.DecisionSpec {
	t.Helper()
	var last fleet.Resource
	for ref, resource := range g.look().resources {
		if ref.Kind == fleet.KindDecision && resource.Metadata.Revision > last.Metadata.Revision {
			last = resource
		}
	}
	spec := specOf[fleet.DecisionSpec](g, last)
	if len(spec.Verdicts) == 0 {
		t.Fatalf("no decision was recorded, or it is empty: %+v", last)
	}
	return spec
}

func (g *game) expectViolations(t *testing.T, want int) {
	t.Helper()
	g.caller = "officer"
	response, err := g.residency().AuditResidency(g.ctx, connect.NewRequest(&fleetv1.AuditResidencyRequest{}))
	if err != nil {
		t.Fatal(err)
	}
	if got := response.Msg.GetReport().GetFields()["violations"].GetNumberValue(); got != float64(want) {
		t.Errorf("the audit finds %v violations, want %d: %v", got, want, response.Msg.GetReport())
	}
}
