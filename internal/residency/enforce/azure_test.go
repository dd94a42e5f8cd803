package enforce_test

import (
	"bytes"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/residency"
	"github.com/meridian-fleet/meridian/internal/residency/enforce"
)

// armTemplate is a deployment template with what the documented schemas of
// policy definitions, assignments and exemptions have.
type armTemplate struct {
	Schema         string `json:"$schema"`
	ContentVersion string `json:"contentVersion"`
	Resources      []struct {
		Type       string          `json:"type"`
		APIVersion string          `json:"apiVersion"`
		Name       string          `json:"name"`
		DependsOn  []string        `json:"dependsOn"`
		Properties json.RawMessage `json:"properties"`
	} `json:"resources"`
}

type armSelectors []struct {
	Name      string `json:"name"`
	Selectors []struct {
		Kind  string   `json:"kind"`
		In    []string `json:"in"`
		NotIn []string `json:"notIn"`
	} `json:"selectors"`
}

// check wants selectors that Azure takes.
func (s armSelectors) check(t *testing.T) {
	t.Helper()
	for _, selector := range s {
		for _, one := range selector.Selectors {
			if values := max(len(one.In), len(one.NotIn)); one.Kind != "resourceLocation" || values == 0 || values > 50 || len(one.In) > 0 && len(one.NotIn) > 0 {
				t.Errorf("selector %s: %d values", selector.Name, values)
			}
		}
	}
}

// selects reports whether something in a location is selected.
func (s armSelectors) selects(location string) bool {
	if len(s) == 0 {
		return true
	}
	one := s[0].Selectors[0]
	return slices.Contains(one.In, location) || len(one.NotIn) > 0 && !slices.Contains(one.NotIn, location)
}

type armDefinition struct {
	DisplayName string `json:"displayName"`
	PolicyType  string `json:"policyType"`
	Mode        string `json:"mode"`
	Metadata    map[string]string
	Parameters  map[string]struct {
		Type     string            `json:"type"`
		Metadata map[string]string `json:"metadata"`
	} `json:"parameters"`
	PolicyRule struct {
		If struct {
			AllOf []armCondition `json:"allOf"`
		} `json:"if"`
		Then struct {
			Effect string `json:"effect"`
		} `json:"then"`
	} `json:"policyRule"`
}

type armCondition struct {
	Field     string          `json:"field"`
	Equals    string          `json:"equals"`
	NotEquals string          `json:"notEquals"`
	In        json.RawMessage `json:"in"`
	NotIn     json.RawMessage `json:"notIn"`
}

type armAssignment struct {
	DisplayName        string `json:"displayName"`
	PolicyDefinitionID string `json:"policyDefinitionId"`
	Parameters         map[string]struct {
		Value json.RawMessage `json:"value"`
	} `json:"parameters"`
	EnforcementMode       string              `json:"enforcementMode"`
	NonComplianceMessages []map[string]string `json:"nonComplianceMessages"`
	ResourceSelectors     armSelectors        `json:"resourceSelectors"`
}

type armExemption struct {
	DisplayName        string         `json:"displayName"`
	Description        string         `json:"description"`
	PolicyAssignmentID string         `json:"policyAssignmentId"`
	ExemptionCategory  string         `json:"exemptionCategory"`
	ExpiresOn          time.Time      `json:"expiresOn"`
	Metadata           map[string]any `json:"metadata"`
	ResourceSelectors  armSelectors   `json:"resourceSelectors"`
}

// deployed is a template as Azure would have it.
type deployed struct {
	definitions map[string]armDefinition
	assignments map[string]armAssignment
	exemptions  map[string]armExemption
}

var (
	resourceName  = regexp.MustCompile(`^[A-Za-z0-9-]+$`)
	idExpression  = regexp.MustCompile(`^\[(subscriptionResourceId\(|tenantResourceId\(|extensionResourceId\(managementGroup\(\)\.id, )'Microsoft\.Authorization/(policyDefinitions|policyAssignments)', '([^']+)'\)\]$`)
	builtIns      = []string{"e56962a6-4747-49cd-b67b-bf8b01975c4c", "e765b5de-1225-4ba3-bd56-1ac6695af988", "b219b9cf-f672-4f96-9ab0-f5a3ac5e1c13"}
	parameterText = regexp.MustCompile(`^\[\[parameters\('([a-z]+)'\)\]$`)
)

func strictly(t *testing.T, content []byte, into any) {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(content))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		t.Fatal(err)
	}
}

// deploy reads a template as strictly as Azure does.
func deploy(t *testing.T, files []enforce.File, nameSize int) deployed {
	t.Helper()
	var template armTemplate
	strictly(t, files[0].Content, &template)
	if !strings.HasPrefix(template.Schema, "https://schema.management.azure.com/schemas/") || template.ContentVersion != "1.0.0.0" {
		t.Errorf("schema %s, version %s", template.Schema, template.ContentVersion)
	}
	made, known := deployed{map[string]armDefinition{}, map[string]armAssignment{}, map[string]armExemption{}}, map[string]bool{}
	for _, resource := range template.Resources {
		if !resourceName.MatchString(resource.Name) || known[resource.Type+resource.Name] {
			t.Errorf("name %q", resource.Name)
		}
		known[resource.Type+resource.Name] = true
		for _, id := range resource.DependsOn {
			if parts := idExpression.FindStringSubmatch(id); parts == nil || !known["Microsoft.Authorization/"+parts[2]+parts[3]] {
				t.Errorf("%s depends on %s, which is not made before it", resource.Name, id)
			}
		}
		switch resource.Type + "@" + resource.APIVersion {
		case "Microsoft.Authorization/policyDefinitions@2023-04-01":
			var definition armDefinition
			strictly(t, resource.Properties, &definition)
			made.definitions[resource.Name] = definition
		case "Microsoft.Authorization/policyAssignments@2024-04-01":
			var assignment armAssignment
			strictly(t, resource.Properties, &assignment)
			if len(resource.Name) > nameSize || assignment.EnforcementMode != "Default" {
				t.Errorf("assignment %s: %s", resource.Name, assignment.EnforcementMode)
			}
			assignment.ResourceSelectors.check(t)
			made.assignments[resource.Name] = assignment
		case "Microsoft.Authorization/policyExemptions@2022-07-01-preview":
			var exemption armExemption
			strictly(t, resource.Properties, &exemption)
			if len(resource.Name) > 64 || !slices.Contains([]string{"Waiver", "Mitigated"}, exemption.ExemptionCategory) || exemption.ExpiresOn.IsZero() {
				t.Errorf("exemption %s: %+v", resource.Name, exemption)
			}
			exemption.ResourceSelectors.check(t)
			made.exemptions[resource.Name] = exemption
		default:
			t.Errorf("type %s@%s", resource.Type, resource.APIVersion)
		}
	}
	return made
}

// denies evaluates what was deployed for a resource, as Azure documents it.
func (d deployed) denies(t *testing.T, kind, location, sku string, at time.Time) bool {
	t.Helper()
	for name, assignment := range d.assignments {
		if !assignment.ResourceSelectors.selects(location) || d.exempts(name, location, at) {
			continue
		}
		id := idExpression.FindStringSubmatch(assignment.PolicyDefinitionID)
		if id == nil {
			t.Fatalf("%s: definition %s", name, assignment.PolicyDefinitionID)
		}
		var locations []string
		switch id[3] {
		case builtIns[0], builtIns[1]:
			strictly(t, assignment.Parameters["listOfAllowedLocations"].Value, &locations)
			isGroup := kind == "Microsoft.Resources/subscriptions/resourceGroups"
			if isGroup == (id[3] == builtIns[1]) && location != "global" && !slices.Contains(locations, location) {
				return true
			}
		case builtIns[2]:
		default:
			definition, ok := d.definitions[id[3]]
			if !ok {
				t.Fatalf("%s: no definition %s", name, id[3])
			}
			holds := true
			for _, condition := range definition.PolicyRule.If.AllOf {
				holds = holds && condition.holds(t, assignment, map[string]string{"type": kind, "location": location, "Microsoft.Storage/storageAccounts/sku.name": sku})
			}
			if holds && definition.PolicyRule.Then.Effect == "deny" {
				return true
			}
		}
	}
	return false
}

func (d deployed) exempts(assignment, location string, at time.Time) bool {
	for _, exemption := range d.exemptions {
		id := idExpression.FindStringSubmatch(exemption.PolicyAssignmentID)
		if id[3] == assignment && at.Before(exemption.ExpiresOn) && exemption.ResourceSelectors.selects(location) {
			return true
		}
	}
	return false
}

func (c armCondition) holds(t *testing.T, assignment armAssignment, fields map[string]string) bool {
	t.Helper()
	among := func(raw json.RawMessage) bool {
		var list []string
		var reference string
		if json.Unmarshal(raw, &reference) == nil {
			raw = assignment.Parameters[parameterText.FindStringSubmatch(reference)[1]].Value
		}
		strictly(t, raw, &list)
		return slices.Contains(list, fields[c.Field])
	}
	switch {
	case c.Equals != "":
		return fields[c.Field] == c.Equals
	case c.NotEquals != "":
		return fields[c.Field] != c.NotEquals
	case c.In != nil:
		return among(c.In)
	}
	return !among(c.NotIn)
}

// typical is a type of resource for each facet.
var typical = map[fleet.Facet]string{
	fleet.FacetStorage: "Microsoft.Storage/storageAccounts", fleet.FacetProcessing: "Microsoft.Compute/virtualMachines",
	fleet.FacetKey: "Microsoft.KeyVault/vaults", fleet.FacetBackup: "Microsoft.RecoveryServices/vaults",
}

// Azure refuses in every region what the rules deny, and nothing they allow;
// an exception lets off where it holds, until it ends.
func TestAzurePoliciesAgreeWithTheRules(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*enforce.Input){
		"a class":            func(in *enforce.Input) { in.Classes = []string{"personal.eu"} },
		"with an exception":  func(in *enforce.Input) { in.Datasets = []string{"customers"} },
		"management group":   func(in *enforce.Input) { in.Datasets, in.Azure.ManagementGroup = []string{"customers"}, true },
		"one country":        func(in *enforce.Input) { in.Classes = []string{"payments.in"} },
		"no store anywhere":  func(in *enforce.Input) { in.Classes = []string{"personal.vn"} },
		"the government's":   func(in *enforce.Input) { in.Datasets, in.Azure.Partition = []string{"drawings"}, "AzureUSGovernment" },
		"several and public": func(in *enforce.Input) { in.Classes, in.Datasets = []string{"public"}, []string{"patients"} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := input(t)
			change(&in)
			output, err := enforce.Compile(in, enforce.TargetAzure)
			if err != nil {
				t.Fatal(err)
			}
			made := deploy(t, output.Files, 24)
			allows := rulesAt(t, in, in.At)
			partition := in.Azure.Partition
			if partition == "" {
				partition = "azure"
			}
			for _, region := range in.Catalog.Regions() {
				facts, _ := in.Catalog.Region(region)
				if facts.Provider != "azure" || facts.Partition != partition {
					continue
				}
				for facet, kind := range typical {
					if refused := made.denies(t, kind, facts.ID, "Standard_LRS", in.At); refused == allows(facet, region) {
						t.Errorf("%s %s: refused %v, lawful %v", region, facet, refused, !refused)
					}
				}
				pair := "azure/" + facts.ReplicaPair
				geo := allows(fleet.FacetStorage, region) && facts.ReplicaPair != "" && allows(fleet.FacetStorage, pair) && allows(fleet.FacetReplica, pair)
				if refused := made.denies(t, typical[fleet.FacetStorage], facts.ID, "Standard_GZRS", in.At); !refused && !geo {
					t.Errorf("%s: geo-redundant, with the pair %s", region, facts.ReplicaPair)
				} else if refused && geo && len(made.exemptions) == 0 {
					t.Errorf("%s: no geo-redundancy although %s is lawful", region, facts.ReplicaPair)
				}
			}
		})
	}
}

func TestAzureExemptions(t *testing.T) {
	t.Parallel()
	in := input(t)
	in.Datasets = []string{"customers"}
	output, err := enforce.Compile(in, enforce.TargetAzure)
	if err != nil {
		t.Fatal(err)
	}
	made := deploy(t, output.Files, 24)
	if len(made.exemptions) == 0 {
		t.Fatal("the exception is no exemption")
	}
	ends := time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)
	if made.denies(t, typical[fleet.FacetStorage], "brazilsouth", "Standard_LRS", ends.Add(-time.Second)) {
		t.Error("the exception does not hold")
	}
	if !made.denies(t, typical[fleet.FacetStorage], "brazilsouth", "Standard_LRS", ends) {
		t.Error("the exception holds on after its end")
	}
	if !made.denies(t, typical[fleet.FacetStorage], "eastus", "Standard_LRS", march) {
		t.Error("the exception holds elsewhere")
	}
	for _, person := range []string{"ann", "bob", "eve"} {
		if regexp.MustCompile(`\b` + person + `\b`).Match(output.Files[0].Content) {
			t.Errorf("it names %s", person)
		}
	}
	for _, exemption := range made.exemptions {
		if exemption.Metadata["exception"] != "brazil-analysis" || exemption.Metadata["approvals"] != 2.0 || exemption.Metadata["rule"] != "eu-personal-data/stays-in-eea" {
			t.Errorf("metadata %v", exemption.Metadata)
		}
	}
}

// An exception for the whole world takes more locations than an exemption has
// room for.
func TestAzureExemptionsAreParted(t *testing.T) {
	t.Parallel()
	in := input(t)
	ref := fleet.Ref{Kind: fleet.KindDataset, Name: "cards"}
	approval := func(by string) fleet.Approval { return fleet.Approval{By: by, At: "2026-01-21T09:00:00Z"} }
	var exceptions []residency.Exception
	for _, name := range []string{"a.b", "a-b"} { // alike, once a dot is none
		exceptions = append(exceptions, residency.Exception{
			Name: name,
			Spec: fleet.ExceptionSpec{
				Policy: "rbi-payments", Rule: "only-india", Subject: ref, Facets: []fleet.Facet{fleet.FacetStorage}, Scope: fleet.Scope{Anywhere: true},
				Period: fleet.Period{From: "2026-02-01", Until: "2026-09-30"}, Reason: "test",
			},
			Status: fleet.ExceptionStatus{Phase: fleet.ExceptionApproved, RequestedBy: "ann", Approvals: []fleet.Approval{approval("bob"), approval("eve")}},
		})
	}
	in.Datasets, in.Subjects = []string{ref.Name}, []residency.Subject{{Ref: ref, Declared: true, Classes: []string{"payments.in"}, Exceptions: exceptions}}
	output, err := enforce.Compile(in, enforce.TargetAzure)
	if err != nil {
		t.Fatal(err)
	}
	made := deploy(t, output.Files, 24)
	for _, location := range []string{"brazilsouth", "westus3", "australiaeast"} {
		if made.denies(t, typical[fleet.FacetStorage], location, "Standard_LRS", march) {
			t.Errorf("the exception does not hold in %s", location)
		}
		for _, facet := range []fleet.Facet{fleet.FacetProcessing, fleet.FacetKey, fleet.FacetBackup} {
			if !made.denies(t, typical[facet], location, "", march) {
				t.Errorf("the exception is for storage, and allows %s in %s", facet, location)
			}
		}
	}
}

// Azure knows no time: whatever ends, of all facets or of one, is a residual.
func TestAzureSaysWhatEnds(t *testing.T) {
	t.Parallel()
	in := input(t)
	in.Datasets = []string{"patients"}
	output, err := enforce.Compile(in, enforce.TargetAzure)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(output.Residual, func(r enforce.Residual) bool {
		return r.Facet == fleet.FacetProcessing && strings.HasPrefix(r.Reason, "from 2027-03-31T22:00:00Z on austriaeast,")
	}) {
		t.Errorf("%+v", output.Residual)
	}
}
