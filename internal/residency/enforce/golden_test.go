package enforce_test

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/residency/enforce"
)

// TestGolden compares all that is compiled from the documents of testdata with
// files, residual lists included.
func TestGolden(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*enforce.Input) string{
		"aws-personal": func(in *enforce.Input) string {
			in.Classes, in.AWS.BreakGlass = []string{"personal.eu"}, []string{"arn:aws:iam::*:role/break-glass"}
			return enforce.TargetAWS
		},
		"aws-customers": func(in *enforce.Input) string {
			in.Datasets = []string{"customers"}
			return enforce.TargetAWS
		},
		"aws-gov": func(in *enforce.Input) string {
			in.Datasets, in.AWS.Partition = []string{"drawings"}, "aws-us-gov"
			return enforce.TargetAWS
		},
		"gcp-personal": func(in *enforce.Input) string {
			in.Classes, in.GCP.Resource = []string{"personal.eu"}, "folders/123456789"
			return enforce.TargetGCP
		},
		"azure-customers": func(in *enforce.Input) string {
			in.Datasets = []string{"customers"}
			return enforce.TargetAzure
		},
		"azure-group": func(in *enforce.Input) string {
			in.Classes, in.Azure.ManagementGroup = []string{"payments.in"}, true
			return enforce.TargetAzure
		},
		"kubernetes-frankfurt": func(in *enforce.Input) string {
			in.Kubernetes.Region = "aws/eu-central-1"
			return enforce.TargetKubernetes
		},
		"kubernetes-sao-paulo": func(in *enforce.Input) string {
			in.Kubernetes = enforce.Kubernetes{Region: "azure/brazilsouth", StorageClasses: []string{"fast"}, SystemNamespaces: []string{"istio-system"}, RefuseUnlabelled: true}
			return enforce.TargetKubernetes
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := input(t)
			output, err := enforce.Compile(in, change(&in))
			if err != nil {
				t.Fatal(err)
			}
			for _, file := range output.Files {
				compare(t, filepath.Join("testdata/golden", name, file.Path), file.Content)
			}
			residual, err := json.MarshalIndent(output.Residual, "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			compare(t, filepath.Join("testdata/golden", name, "residual.json"), append(residual, '\n'))
		})
	}
}

// Nothing a rule asks for is silently left out: what a target has no means for
// is in the residual list, clause by clause.
func TestResidualIsComplete(t *testing.T) {
	t.Parallel()
	kept := map[string][]fleet.Facet{
		enforce.TargetAWS:        {fleet.FacetStorage, fleet.FacetProcessing, fleet.FacetKey, fleet.FacetBackup, fleet.FacetReplica},
		enforce.TargetKubernetes: {fleet.FacetStorage, fleet.FacetProcessing},
	}
	kept[enforce.TargetGCP], kept[enforce.TargetAzure] = kept[enforce.TargetAWS], kept[enforce.TargetAWS]
	for _, target := range enforce.Targets {
		in := input(t)
		in.GCP.Resource, in.Kubernetes.Region = "projects/clinic-data", "gcp/europe-west3"
		if target != enforce.TargetKubernetes { // a cluster is for everything
			in.Classes = []string{"personal.eu.health"}
		}
		output, err := enforce.Compile(in, target)
		if err != nil {
			t.Fatal(target, err)
		}
		has := func(policy, rule string, facet fleet.Facet, text string) bool {
			return slices.ContainsFunc(output.Residual, func(r enforce.Residual) bool {
				return r.Policy == policy && r.Rule == rule && r.Facet == facet && strings.Contains(r.Reason, text)
			})
		}
		for _, facet := range fleet.Facets {
			ofRule := slices.Contains([]fleet.Facet{fleet.FacetProcessing, fleet.FacetTelemetry, fleet.FacetAccess, fleet.FacetMetadata, fleet.FacetTransit}, facet)
			if listed := has("eu-personal-data", "processing-adequate", facet, ""); listed != (ofRule && !slices.Contains(kept[target], facet)) {
				t.Errorf("%s: %s listed %v", target, facet, listed)
			}
		}
		for rule, text := range map[string]string{
			"eu-personal-data/record":                 "an obligation is done by people: Keep the record",
			"eu-personal-data/processing-by-contract": "standard-contractual-clauses exists and holds is taken from the dataset's document",
			"eu-health/germany-or-attested":           "its condition looks at facts of the data",
		} {
			policy, name, _ := strings.Cut(rule, "/")
			if !has(policy, name, "", text) {
				t.Errorf("%s: no residual of %s with %q", target, rule, text)
			}
		}
		if about := target == enforce.TargetKubernetes; has("upcoming", "", "", "2027-01-01") != about { // it is about public data
			t.Errorf("%s: the policy to come: want it listed %v", target, about)
		}
		if target != enforce.TargetKubernetes && has("rbi-payments", "only-india", fleet.FacetTelemetry, "") {
			t.Errorf("%s: a rule about other data is listed", target)
		}
		for _, residual := range output.Residual {
			if residual.Reason == "" {
				t.Errorf("%s: no reason: %+v", target, residual)
			}
		}
	}
}
