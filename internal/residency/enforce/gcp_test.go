package enforce_test

import (
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"

	"cloud.google.com/go/orgpolicy/apiv2/orgpolicypb"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/residency/enforce"
)

var pinned = regexp.MustCompile(`^in:([a-z]+-[a-z]+[0-9]+)-locations$`)

// organizationPolicies reads files as Google's API does: unknown fields are
// faults.
func organizationPolicies(t *testing.T, files []enforce.File) map[string]*orgpolicypb.Policy {
	t.Helper()
	policies := map[string]*orgpolicypb.Policy{}
	for _, file := range files {
		policy := &orgpolicypb.Policy{}
		if err := protojson.Unmarshal(file.Content, policy); err != nil {
			t.Fatalf("%s: %v", file.Path, err)
		}
		resource, constraint, ok := strings.Cut(policy.GetName(), "/policies/")
		if !ok || file.Path != constraint+".json" || len(policy.GetSpec().GetRules()) != 1 {
			t.Errorf("%s: %s", file.Path, policy.GetName())
		}
		policies[resource+" "+constraint] = policy
	}
	return policies
}

// Google refuses every region where one of the facets may not be, and no other.
func TestOrganizationPoliciesAgreeWithTheRules(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*enforce.Input){
		"a class": func(in *enforce.Input) { in.Classes = []string{"personal.eu"} },
		"several": func(in *enforce.Input) { in.Classes, in.Datasets = []string{"public"}, []string{"customers"} },
		"processing only": func(in *enforce.Input) {
			in.Classes, in.Facets = []string{"personal.eu"}, []fleet.Facet{fleet.FacetProcessing}
		},
		"anywhere": func(in *enforce.Input) { in.Classes = []string{"public"} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := input(t)
			in.GCP.Resource = "organizations/123456789012"
			change(&in)
			output, err := enforce.Compile(in, enforce.TargetGCP)
			if err != nil {
				t.Fatal(err)
			}
			policies := organizationPolicies(t, output.Files)
			values := policies["organizations/123456789012 gcp.resourceLocations"].GetSpec().GetRules()[0].GetValues()
			for _, value := range values.GetAllowedValues() {
				if !pinned.MatchString(value) {
					t.Errorf("%s is no single region", value)
				}
			}
			facets := in.Facets
			if facets == nil {
				facets = []fleet.Facet{fleet.FacetStorage, fleet.FacetProcessing, fleet.FacetKey, fleet.FacetBackup, fleet.FacetReplica}
			}
			if cmek := policies["organizations/123456789012 gcp.restrictNonCmekServices"]; (cmek != nil) != slices.Contains(facets, fleet.FacetKey) {
				t.Errorf("customer-managed keys: %v", cmek)
			}
			allows := rulesAt(t, in, in.At)
			for _, region := range in.Catalog.Regions() {
				provider, id, _ := fleet.SplitRegion(region)
				if provider != "gcp" {
					continue
				}
				all := !slices.ContainsFunc(facets, func(facet fleet.Facet) bool { return !allows(facet, region) })
				if listed := slices.Contains(values.GetAllowedValues(), "in:"+id+"-locations"); listed != all {
					t.Errorf("%s: listed %v, lawful %v", region, listed, all)
				}
			}
		})
	}
}

func TestOrganizationPolicyFaults(t *testing.T) {
	t.Parallel()
	in := input(t)
	in.Classes = []string{"personal.eu"}
	in.GCP.Resource = ""
	output, err := enforce.Compile(in, enforce.TargetGCP)
	if err != nil || !strings.Contains(string(output.Files[0].Content), `"organizations/ORGANIZATION_ID/policies/`) || !strings.Contains(output.Residual[0].Reason, "ORGANIZATION_ID") {
		t.Errorf("for nobody in particular: %v, %v", output.Residual, err)
	}
	for _, resource := range []string{"organizations/acme", "projects/x y", "organizations/1/policies/x", "//organizations/1"} {
		in.GCP.Resource = resource
		if _, err := enforce.Compile(in, enforce.TargetGCP); !errors.Is(err, fleet.ErrInvalid) || !strings.Contains(err.Error(), "gcp.resource") {
			t.Errorf("%q: %v", resource, err)
		}
	}
	in.GCP.Resource, in.Classes = "projects/acme-data", []string{"defense.us"}
	if _, err := enforce.Compile(in, enforce.TargetGCP); !errors.Is(err, fleet.ErrDenied) {
		t.Errorf("no lawful region: %v", err)
	}
}
