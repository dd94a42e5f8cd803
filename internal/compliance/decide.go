package compliance

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/inventory"
)

// The kinds of acts.
const (
	ActPlace         = "place"          // data or a workload comes to be somewhere
	ActOnboard       = "onboard"        // a region gets its clusters
	ActApplyBaseline = "apply-baseline" // a cluster's components change
	ActMigrate       = "migrate"        // data or a workload moves
)

var actKinds = []string{ActPlace, ActOnboard, ActApplyBaseline, ActMigrate}

// guardedKinds are the kinds a verdict about an act rests on. Placements are
// not among them: what is found somewhere is so already, whatever is decided.
var guardedKinds = []fleet.Kind{
	fleet.KindResidencyPolicy, fleet.KindJurisdictionGroup, fleet.KindDataClass, fleet.KindDataset, fleet.KindWorkload,
	fleet.KindException, fleet.KindRegion,
}

// unobservedKinds are those of which only what is declared matters to a
// verdict: regions report all the time while they are onboarded.
var unobservedKinds = []fleet.Kind{fleet.KindRegion}

// restsOn is what a decision taken at a revision rests on.
func restsOn(revision int64) *inventory.Moved {
	return &inventory.Moved{Kinds: guardedKinds, Unobserved: unobservedKinds, Since: revision}
}

// attempts is how often a decision is made anew because the rules changed
// while it was being recorded.
const attempts = 8

// Decide judges an act and records the Decision before it returns. A denial is
// recorded too and returned as ErrDenied, beside the decision. To what the act
// asks it adds what it implies: onboarding a region, all that is bound to the
// region and what the region is meant for; a baseline, what the region is
// meant for.
func (o *Office) Decide(ctx context.Context, act fleet.Act) (fleet.Resource, fleet.DecisionSpec, error) {
	if !slices.Contains(actKinds, act.Kind) {
		return fleet.Resource{}, fleet.DecisionSpec{}, fleet.Errorf(fleet.ErrInvalid, "unknown kind of act %q", act.Kind).
			At(fleet.Position{}, "kind").Advise("known are %s", strings.Join(actKinds, ", "))
	}
	if err := o.resolve(ctx, &act); err != nil {
		return fleet.Resource{}, fleet.DecisionSpec{}, err
	}
	for attempt := 1; ; attempt++ {
		resource, decision, err := o.decide(ctx, act)
		switch {
		case errors.Is(err, fleet.ErrConflict) && attempt < attempts:
			continue
		case errors.Is(err, fleet.ErrConflict): // who retries later may find it quiet
			err = fleet.Errorf(fleet.ErrUnavailable, "what the decision rests on changed each of %d times it was taken: %w", attempts, err)
		}
		if err != nil {
			return fleet.Resource{}, fleet.DecisionSpec{}, err
		}
		return resource, decision, denied(decision)
	}
}

// resolve finds the region of an act on a cluster.
func (o *Office) resolve(ctx context.Context, act *fleet.Act) error {
	if act.Region != "" || act.Cluster == "" {
		return nil
	}
	cluster, err := o.config.Store.Get(ctx, fleet.Ref{Kind: fleet.KindCluster, Name: act.Cluster}, inventory.AsOf{})
	if err != nil {
		return err
	}
	spec, err := fleet.SpecOf[fleet.ClusterSpec](cluster)
	act.Region = spec.Region
	return err
}

// decide judges and records once; ErrConflict when something the verdicts rest
// on changed in between.
func (o *Office) decide(ctx context.Context, act fleet.Act) (fleet.Resource, fleet.DecisionSpec, error) {
	v, err := o.open(ctx, fleet.Moment{})
	if err != nil {
		return fleet.Resource{}, fleet.DecisionSpec{}, err
	}
	questions, refused := v.implied(act)
	decision := o.decision(act, refused)
	asked := map[string]bool{}
	for _, question := range append(slices.Clone(act.Questions), questions...) {
		question.At, question.KnownAt = time.Time{}, nil // an act is now, on all that is known
		if key := fmt.Sprintf("%+v", question); !asked[key] {
			asked[key] = true
			decision.add(v.judge(question))
		}
	}
	resource, err := decision.resource()
	if err != nil {
		return fleet.Resource{}, fleet.DecisionSpec{}, err
	}
	options := inventory.ApplyOptions{Unless: restsOn(v.revision)}
	if _, err := o.config.Store.Apply(ctx, act.Actor, []fleet.Resource{resource}, options); err != nil {
		return fleet.Resource{}, fleet.DecisionSpec{}, fmt.Errorf("record the decision: %w", err)
	}
	return resource, decision.DecisionSpec, nil
}

// decision is a DecisionSpec in the making.
type decision struct{ fleet.DecisionSpec }

func (o *Office) decision(act fleet.Act, verdicts []fleet.Verdict) *decision {
	d := &decision{fleet.DecisionSpec{Act: act, Allowed: true, Verdicts: []fleet.Verdict{}, At: o.config.Now().UTC()}}
	for _, verdict := range verdicts {
		d.add(verdict)
	}
	return d
}

func (d *decision) add(verdict fleet.Verdict) {
	d.Verdicts = append(d.Verdicts, verdict)
	d.Allowed = d.Allowed && verdict.Allowed
}

// resource names the decision by its time, so that names are in order.
func (d *decision) resource() (fleet.Resource, error) {
	name := strings.ToLower(d.At.Format("20060102T150405.000000000Z")) + "-" + strings.ToLower(rand.Text()[:8])
	return fleet.NewResource(fleet.KindDecision, name, d.DecisionSpec, nil)
}

// implied is what an act does to data beyond what it says, and denials by
// documents that cannot be read.
func (v *view) implied(act fleet.Act) ([]fleet.Question, []fleet.Verdict) {
	if act.Region == "" || act.Kind != ActOnboard && act.Kind != ActApplyBaseline {
		return nil, nil
	}
	var questions []fleet.Question
	var refused []fleet.Verdict
	if declared := v.valid(fleet.Ref{Kind: fleet.KindRegion, Name: act.Region}); declared != nil {
		if declared.fault != nil {
			refused = append(refused, refuse(v.dated(fleet.Question{Region: act.Region}), fleet.RuleBadDocument, "the region's document cannot be read: "+oneLine(declared.fault)))
		} else {
			questions = append(questions, meantFor(act.Region, declared.region())...)
		}
	}
	if act.Kind == ActOnboard {
		questions = append(questions, v.boundTo(act.Region)...)
	}
	return questions, refused
}

// meantFor asks about the data a region's clusters are meant for.
func meantFor(region string, spec *fleet.RegionSpec) []fleet.Question {
	var questions []fleet.Question
	for _, use := range spec.Data {
		var one prepared
		one.use(nil, use.Facets)
		for _, facet := range one.facets {
			questions = append(questions, fleet.Question{Classes: use.Classes, Facet: facet, Region: region})
		}
	}
	return questions
}

// boundTo asks about everything that is declared to be in a region.
func (v *view) boundTo(region string) []fleet.Question {
	var questions []fleet.Question
	for _, kind := range []fleet.Kind{fleet.KindDataset, fleet.KindWorkload} {
		for _, subject := range v.all(kind) {
			for _, place := range v.declared(subject.ref) {
				if place.Region != region && place.Pair != region {
					continue
				}
				for _, facet := range place.Facets {
					questions = append(questions, question(place, facet))
				}
			}
		}
	}
	return questions
}

// denied is a decision's denials as errors, nil when there are none.
func denied(decision fleet.DecisionSpec) error {
	var faults []error
	for _, verdict := range decision.Verdicts {
		if !verdict.Allowed {
			faults = append(faults, denial(verdict))
		}
	}
	return errors.Join(faults...)
}

// denial says which rules deny, what they rest on and what would be lawful.
func denial(verdict fleet.Verdict) *fleet.Error {
	subject := "data of " + strings.Join(verdict.Classes, ", ")
	if verdict.Subject.Name != "" {
		subject = verdict.Subject.String()
	} else if len(verdict.Classes) == 0 {
		subject = "data without a class"
	}
	what := string(verdict.Facet)
	if what == "" {
		what = "what it does"
	}
	fault := fleet.Errorf(fleet.ErrDenied, "%s in %s is denied: %s", what, verdict.Region, reasons(verdict)).On(subject)
	var advice []string
	for _, alternative := range verdict.Alternatives {
		advice = append(advice, alternative.Text)
	}
	fault.Hint = strings.Join(advice, "; ")
	return fault
}

// reasons are the sentences of the rules that deny, each once.
func reasons(verdict fleet.Verdict) string {
	var said []string
	for _, finding := range verdict.Findings {
		if finding.Effect != fleet.EffectDenies {
			continue
		}
		rule := finding.ID()
		if finding.Cites != "" {
			rule += ", " + finding.Cites
		}
		if text := finding.Reason + " (" + rule + ")"; !slices.Contains(said, text) {
			said = append(said, text)
		}
	}
	return strings.Join(said, "; ")
}
