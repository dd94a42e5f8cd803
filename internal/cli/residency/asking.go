package residency

import (
	"context"
	"errors"
	"slices"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/structpb"

	fleetv1 "github.com/meridian-fleet/meridian/api/fleet/v1"
	"github.com/meridian-fleet/meridian/api/fleet/v1/fleetv1connect"
	"github.com/meridian-fleet/meridian/internal/cli/factory"
	"github.com/meridian-fleet/meridian/internal/cli/output"
	"github.com/meridian-fleet/meridian/internal/cli/question"
	"github.com/meridian-fleet/meridian/internal/cli/suggest"
	"github.com/meridian-fleet/meridian/internal/cli/verdict"
	"github.com/meridian-fleet/meridian/internal/fleet"
)

// office is what a command asks, and the moment it asks about.
type office struct {
	*factory.Factory
	fleetv1connect.ResidencyServiceClient
	fleet  fleetv1connect.FleetServiceClient
	moment *fleetv1.Moment
}

// open reads the moment before anybody is asked.
func open(f *factory.Factory, moment question.Moment) (*office, error) {
	message, err := moment.Message(f.Now())
	if err != nil {
		return nil, err
	}
	client, err := f.Residency()
	if err != nil {
		return nil, err
	}
	resources, err := f.Client()
	return &office{f, client, resources, message}, err
}

// answers are verdicts and the documents they came as.
type answers struct {
	verdicts  []fleet.Verdict
	documents []*structpb.Struct
}

// check asks questions, in their order.
func (o *office) check(ctx context.Context, questions []fleet.Question) (answers, error) {
	request := &fleetv1.CheckResidencyRequest{Moment: o.moment}
	for _, asked := range questions {
		document, err := output.Encode(asked, "at")
		if err != nil {
			return answers{}, err
		}
		request.Questions = append(request.Questions, document)
	}
	response, err := o.CheckResidency(ctx, connect.NewRequest(request))
	if err != nil {
		return answers{}, err
	}
	documents := response.Msg.GetVerdicts()
	verdicts, err := output.DecodeAll[fleet.Verdict](documents)
	return answers{verdicts, documents}, err
}

func (o *office) atlas(ctx context.Context) (verdict.Atlas, error) {
	regions, err := o.Catalog(ctx, o.moment)
	if err != nil {
		return verdict.Atlas{}, err
	}
	return o.atlasOf(regions)
}

// atlasOf is an atlas of regions that people look at now.
func (o *office) atlasOf(regions []fleet.RegionFacts) (verdict.Atlas, error) {
	atlas, err := verdict.NewAtlas(regions)
	atlas.Today = o.Now()
	return atlas, err
}

// resources lists those of a kind that were true at the moment, as they were
// known then.
func (o *office) resources(ctx context.Context, kind fleet.Kind) ([]fleet.Resource, error) {
	return question.TrueAt(ctx, o.fleet, kind, o.moment.GetKnownAt(), o.moment.GetAsOf())
}

func (o *office) located(ctx context.Context, subjects ...fleet.Ref) ([]fleet.Located, []*structpb.Struct, error) {
	request := &fleetv1.ListLocatedRequest{Moment: o.moment}
	for _, subject := range subjects {
		request.Subjects = append(request.Subjects, string(subject.Kind)+"/"+subject.Name)
	}
	response, err := o.ListLocated(ctx, connect.NewRequest(request))
	if err != nil {
		return nil, nil, o.named(ctx, err, subjects)
	}
	places, err := output.DecodeAll[fleet.Located](response.Msg.GetPlaces())
	return places, response.Msg.GetPlaces(), err
}

// named adds to an error about a subject that is not there which one may have
// been meant.
func (o *office) named(ctx context.Context, err error, subjects []fleet.Ref) error {
	var fault *fleet.Error
	if !errors.As(err, &fault) {
		return err
	}
	for _, subject := range subjects {
		if fault.Object == subject.String() {
			return suggest.Named(ctx, o.Factory, err, subject.Kind, subject.Name)
		}
	}
	return err
}

// everybody lists all datasets and workloads.
func (o *office) everybody(ctx context.Context) ([]question.Subject, error) {
	var subjects []question.Subject
	for _, kind := range []fleet.Kind{fleet.KindDataset, fleet.KindWorkload} {
		resources, err := o.resources(ctx, kind)
		if err != nil {
			return nil, err
		}
		for _, resource := range resources {
			subjects = append(subjects, question.Subject{Ref: resource.Ref()})
		}
	}
	return subjects, nil
}

// inUse lists the regions where subjects are, and those the fleet declares.
func (o *office) inUse(ctx context.Context, subjects []question.Subject) ([]string, error) {
	var refs []fleet.Ref
	for _, subject := range subjects {
		if subject.Named() {
			refs = append(refs, subject.Ref)
		}
	}
	var regions []string
	if len(refs) > 0 { // none would mean all
		places, _, err := o.located(ctx, refs...)
		if err != nil {
			return nil, err
		}
		for _, place := range places {
			regions = append(regions, place.Region)
			if place.Pair != "" {
				regions = append(regions, place.Pair)
			}
		}
	}
	declared, err := o.resources(ctx, fleet.KindRegion)
	for _, region := range declared {
		regions = append(regions, region.Metadata.Name)
	}
	slices.Sort(regions)
	return question.Unique(regions), err
}

// classesInUse are the classes of all datasets, and those that workloads touch
// without naming a dataset, as they were known at the moment.
func (o *office) classesInUse(ctx context.Context) ([]string, error) {
	var classes []string
	datasets, err := o.resources(ctx, fleet.KindDataset)
	if err != nil {
		return nil, err
	}
	for _, dataset := range datasets {
		spec, err := fleet.SpecOf[fleet.DatasetSpec](dataset)
		if err != nil {
			return nil, err
		}
		classes = append(classes, spec.Classes...)
	}
	workloads, err := o.resources(ctx, fleet.KindWorkload)
	if err != nil {
		return nil, err
	}
	for _, workload := range workloads {
		spec, err := fleet.SpecOf[fleet.WorkloadSpec](workload)
		if err != nil {
			return nil, err
		}
		for _, use := range spec.Classes {
			classes = append(classes, use.Classes...)
		}
	}
	slices.Sort(classes)
	return slices.Compact(classes), nil
}
