package enforce

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

var gcpLimits = limits{
	target: "Google Cloud",
	facets: map[fleet.Facet]string{
		fleet.FacetAccess: reasonAccess, fleet.FacetTelemetry: reasonTelemetry,
		fleet.FacetMetadata: reasonMetadata, fleet.FacetTransit: reasonTransit,
	},
	copies: "a constraint can refuse a place and not demand a copy elsewhere; a dataset is judged with the copies known when compiling, a class as if there were none",
	general: []string{
		reasonLater,
		"gcp.resourceLocations holds for new resources only; the audit names those that are elsewhere",
		"it restricts where resources are made and is no commitment of Google about where data is stored",
		"it holds for supported services only, not for resources whose location is global, and for some services not for what they make themselves (sub-resources, automatic backups)",
		"cross-region and multi-region copies are refused by their location only: multi-regions and dual-regions are not among the values, as their members change",
		"it takes the place of what organizations and folders above say about the same constraint, and a policy on a folder or project below takes its place: " +
			"compile for all that one holds for, and let few be Organization Policy Administrators",
	},
}

// keyLimits are what the constraint on keys cannot do.
var keyLimits = []Residual{
	{Facet: fleet.FacetKey, Reason: "customer-managed keys are required of the services named only, and only of new resources; others encrypt with keys of Google's that are in no region one can choose"},
	{Facet: fleet.FacetKey, Reason: "keys of projects it does not hold for, and external keys, may be elsewhere: say by gcp.restrictCmekCryptoKeyProjects whose keys may be used"},
}

// encryptedServices are services that keep data at rest and can be told to
// take customer-managed keys only.
var encryptedServices = []string{
	"aiplatform.googleapis.com", "artifactregistry.googleapis.com", "bigquery.googleapis.com", "bigtable.googleapis.com",
	"compute.googleapis.com", "container.googleapis.com", "dataflow.googleapis.com", "dataproc.googleapis.com", "logging.googleapis.com",
	"pubsub.googleapis.com", "secretmanager.googleapis.com", "spanner.googleapis.com", "sqladmin.googleapis.com", "storage.googleapis.com",
}

var gcpResource = regexp.MustCompile(`^(organizations/[0-9]+|folders/[0-9]+|projects/[a-z0-9][a-z0-9.:-]{3,61}[a-z0-9])$`)

// organizationPolicy is a policy of the organization policy API, version 2.
type organizationPolicy struct {
	Name string                 `json:"name"`
	Spec organizationPolicySpec `json:"spec"`
}

type organizationPolicySpec struct {
	Rules []organizationRule `json:"rules"`
}

type organizationRule struct {
	Values organizationValues `json:"values"`
}

type organizationValues struct {
	AllowedValues []string `json:"allowedValues,omitempty"`
	DeniedValues  []string `json:"deniedValues,omitempty"`
}

// gcpPlaceholder stands for the resource in policies for nobody in particular,
// as in Google's documentation.
const gcpPlaceholder = "organizations/ORGANIZATION_ID"

// gcp writes organization policies. The constraint on locations does not tell
// facets apart: only regions where all of them may be are allowed.
func (c *Compiler) gcp() (Output, error) {
	var unnamed []Residual
	switch {
	case c.input.GCP.Resource == "":
		c.input.GCP.Resource = gcpPlaceholder
		unnamed = []Residual{{Reason: "the policies name no organization, folder or project yet: put yours in the place of " + gcpPlaceholder}}
	case !gcpResource.MatchString(c.input.GCP.Resource):
		return Output{}, fleet.Errorf(fleet.ErrInvalid, "%q is no organization, folder or project", c.input.GCP.Resource).At(fleet.Position{}, "gcp.resource").
			Advise("want organizations/NUMBER, folders/NUMBER or projects/ID")
	}
	p, err := c.purposeIn("gcp", "gcp")
	if err != nil {
		return Output{}, err
	}
	steps, err := p.steps(p.every)
	if err != nil {
		return Output{}, err
	}
	if len(steps[0].regions) == 0 {
		return Output{}, p.nowhere("may " + strings.Join(names(p.facets), ", ") + " all be")
	}
	var locations []string
	for _, region := range steps[0].regions {
		locations = append(locations, "in:"+region+"-locations")
	}
	files, err := c.organizationPolicies(p, locations)
	residual := slices.Concat(unnamed, p.narrowed(steps[0].regions), ending(steps), p.excepted(c.input.GCP.Resource))
	if slices.Contains(p.facets, fleet.FacetKey) {
		residual = append(residual, keyLimits...)
	}
	return Output{Files: files, Residual: append(residual, c.residual(gcpLimits)...)}, err
}

func names(facets []fleet.Facet) []string {
	list := make([]string, len(facets))
	for i, facet := range facets {
		list[i] = string(facet)
	}
	return list
}

func (c *Compiler) organizationPolicies(p *purpose, locations []string) ([]File, error) {
	policies := map[string]organizationValues{"gcp.resourceLocations": {AllowedValues: locations}}
	if slices.Contains(p.facets, fleet.FacetKey) {
		policies["gcp.restrictNonCmekServices"] = organizationValues{DeniedValues: encryptedServices}
	}
	var files []File
	for _, constraint := range []string{"gcp.resourceLocations", "gcp.restrictNonCmekServices"} {
		values, wanted := policies[constraint]
		if !wanted {
			continue
		}
		content, err := json.MarshalIndent(organizationPolicy{
			Name: c.input.GCP.Resource + "/policies/" + constraint,
			Spec: organizationPolicySpec{Rules: []organizationRule{{Values: values}}},
		}, "", "  ")
		if err != nil {
			return nil, fleet.Errorf(fleet.ErrInternal, "encode the policy: %w", err)
		}
		files = append(files, File{Path: constraint + ".json", Content: append(content, '\n')})
	}
	return files, nil
}

// narrowed says which facets a target refuses in more regions than it must,
// because others may not be there.
func (p *purpose) narrowed(kept []string) []Residual {
	var list []Residual
	sets := p.allowed(moment{p.input.At, p.rules})
	for _, facet := range p.facets {
		more := slices.DeleteFunc(p.ids(sets[facet]), func(id string) bool { return slices.Contains(kept, id) })
		if len(more) > 0 {
			list = append(list, Residual{Facet: facet, Reason: fmt.Sprintf("it is refused in %s although it may be there, as other facets may not: "+
				"compile with fewer facets for projects that do less", strings.Join(more, ", "))})
		}
	}
	return list
}
