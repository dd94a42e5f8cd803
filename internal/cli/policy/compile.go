package policy

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/meridian-fleet/meridian/internal/cli/complete"
	"github.com/meridian-fleet/meridian/internal/cli/factory"
	"github.com/meridian-fleet/meridian/internal/cli/failure"
	"github.com/meridian-fleet/meridian/internal/cli/question"
	"github.com/meridian-fleet/meridian/internal/cli/usage"
	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/residency/enforce"
)

// CompileOptions are the inputs of compile.
type CompileOptions struct {
	*factory.Factory
	question.Moment
	Paths  []string
	Target string
	For    []string
	Facets []string
	Out    string

	AWS        enforce.AWS
	GCP        enforce.GCP
	Azure      enforce.Azure
	Kubernetes enforce.Kubernetes
}

// NewCompile makes the command compile.
func NewCompile(f *factory.Factory, run func(context.Context, *CompileOptions) error) *cobra.Command {
	options := &CompileOptions{Factory: f}
	cmd := &cobra.Command{
		Use:   "compile [FILE|DIR…] --target TARGET",
		Short: "Write the policies that clouds and clusters enforce by themselves",
		Long: `Compile residency policies into what a cloud or a cluster enforces by itself, also
when fleetd is down: service control policies (aws), organization policies (gcp),
policy assignments and exemptions (azure), validating admission policies with
their parameters (kubernetes).

Documents come from files, then fleetd is not asked, else from fleetd. For a
cloud, --for says which data the account, project or subscription is for. No
target can enforce every clause: those it cannot are listed with the reason, and
have to be seen to by other means.`,
		Example: `  fleetctl policy compile --target aws --for class/personal.eu --out scp/
  fleetctl policy compile --target gcp --for dataset/customers --gcp-resource organizations/123 --out orgpolicy/
  fleetctl policy compile deploy/residency --target azure --for class/payments.in --out azure/
  fleetctl policy compile --target kubernetes --region aws/eu-central-1 --out cluster/
  fleetctl policy compile --target kubernetes --region aws/eu-central-1 -o json`,
		Args: usage.Args(0, usage.Unlimited),
		RunE: func(cmd *cobra.Command, args []string) error {
			options.Paths = args
			return run(cmd.Context(), options)
		},
		ValidArgsFunction: files,
	}
	options.addFlags(cmd)
	return cmd
}

func (o *CompileOptions) addFlags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&o.Target, "target", "", strings.Join(enforce.Targets, ", ")+"; needed")
	flags.StringArrayVar(&o.For, "for", nil, "dataset/NAME or class/NAME that the account is for; may be repeated")
	flags.StringSliceVar(&o.Facets, "facet", nil, "what is done there (default: all that a cloud can keep)")
	flags.StringVar(&o.Out, "out", "", "folder to write to (default: print)")
	flags.StringVar(&o.Kubernetes.Region, "region", "", "kubernetes: the cluster's region")
	flags.StringSliceVar(&o.Kubernetes.StorageClasses, "storage-class", nil, "kubernetes: storage classes for classified data")
	flags.StringSliceVar(&o.Kubernetes.SystemNamespaces, "system-namespace", nil, "kubernetes: namespaces to leave alone, besides Kubernetes' and Meridian's own")
	flags.BoolVar(&o.Kubernetes.RefuseUnlabelled, "refuse-unlabelled", false, "kubernetes: refuse data without a class in every namespace")
	flags.StringVar(&o.AWS.Partition, "aws-partition", "", "aws: partition of the account (default: aws)")
	flags.StringSliceVar(&o.AWS.BreakGlass, "break-glass", nil, "aws: ARN patterns of roles the policies do not hold for")
	flags.StringSliceVar(&o.AWS.GlobalServices, "global-service", nil, "aws: actions that may be called at their global endpoints, such as cloudfront:*")
	flags.StringVar(&o.GCP.Resource, "gcp-resource", "", "gcp: organizations/NUMBER, folders/NUMBER or projects/ID (default: a placeholder)")
	flags.BoolVar(&o.Azure.ManagementGroup, "management-group", false, "azure: deploy to a management group and not to a subscription")
	usage.Filled(cmd, "facet")
	o.AddFlags(cmd)
	_ = cmd.RegisterFlagCompletionFunc("target", complete.Words(enforce.Targets...))
	_ = cmd.RegisterFlagCompletionFunc("for", complete.Subject(o.Factory, fleet.KindDataset, fleet.KindDataClass))
	_ = cmd.RegisterFlagCompletionFunc("facet", complete.Facets())
	_ = cmd.RegisterFlagCompletionFunc("region", complete.CatalogRegions(o.Factory))
	_ = cmd.MarkFlagDirname("out")
}

// input is what the flags say; documents and catalog are still missing.
func (o *CompileOptions) input() (enforce.Input, error) {
	input := enforce.Input{AWS: o.AWS, GCP: o.GCP, Azure: o.Azure, Kubernetes: o.Kubernetes}
	switch {
	case !slices.Contains(enforce.Targets, o.Target):
		return input, failure.Usagef("want one of %s, got %q", strings.Join(enforce.Targets, ", "), o.Target).At(fleet.Position{}, "--target")
	case len(o.Paths) > 0 && o.KnownAt != "":
		return input, failure.Usagef("files are as they are now: --known-at is for what fleetd has recorded")
	}
	subjects, err := question.ParseSubjects(o.For)
	if err != nil {
		return input, err
	}
	for _, subject := range subjects {
		switch {
		case !subject.Named():
			input.Classes = append(input.Classes, subject.Classes...)
		case subject.Kind == fleet.KindDataset:
			input.Datasets = append(input.Datasets, subject.Name)
		default:
			return input, failure.Usagef("want dataset/NAME or class/NAME, got %q", subject).At(fleet.Position{}, "--for")
		}
	}
	input.Facets, err = question.ParseFacets("--facet", o.Facets)
	return input, err
}

// Compile runs compile.
func Compile(ctx context.Context, options *CompileOptions) error {
	input, err := options.input()
	if err != nil {
		return err
	}
	moment, err := options.Read(options.Now())
	if err != nil {
		return err
	}
	input.At = moment.AsOf
	if input.At.IsZero() {
		input.At = options.Now().UTC().Truncate(time.Second)
	}
	law := fromFleetd
	if len(options.Paths) > 0 {
		law = fromFiles
	}
	if input.Documents, input.Catalog, err = law(ctx, options); err != nil {
		return err
	}
	compiled, err := enforce.Compile(input, options.Target)
	if err != nil {
		return err
	}
	if options.Out != "" {
		if err := write(options.Out, compiled.Files); err != nil {
			return err
		}
	}
	return options.print(compiled)
}

// where says where a residual clause stands.
func where(residual enforce.Residual) string {
	var parts []string
	if residual.Policy != "" {
		parts = append(parts, strings.TrimSuffix(residual.Policy+"/"+residual.Rule, "/"))
	}
	if residual.Facet != "" {
		parts = append(parts, string(residual.Facet))
	}
	if len(parts) == 0 {
		return "the target as a whole"
	}
	return strings.Join(parts, ", ")
}

func clause(residual enforce.Residual) string {
	return fmt.Sprintf("%s: %s", where(residual), residual.Reason)
}
