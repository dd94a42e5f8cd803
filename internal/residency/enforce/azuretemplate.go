package enforce

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"github.com/meridian-fleet/meridian/internal/residency"
)

// armTemplate is a deployment template of the Azure Resource Manager.
type armTemplate struct {
	Schema         string     `json:"$schema"`
	ContentVersion string     `json:"contentVersion"`
	Resources      []resource `json:"resources"`

	managementGroup bool
}

// resource of a template.
type resource struct {
	Type       string         `json:"type"`
	APIVersion string         `json:"apiVersion"`
	Name       string         `json:"name"`
	DependsOn  []string       `json:"dependsOn,omitempty"`
	Properties map[string]any `json:"properties"`
}

// parameter are the values of an assignment's parameters.
type parameter map[string]any

func value(of any) map[string]any { return map[string]any{"value": of} }

const (
	definitionType = "Microsoft.Authorization/policyDefinitions"
	assignmentType = "Microsoft.Authorization/policyAssignments"
	exemptionType  = "Microsoft.Authorization/policyExemptions"
	schemas        = "https://schema.management.azure.com/schemas/"
)

// definition is a policy definition of our own.
type definition struct {
	name, title string
	parameters  map[string]string // what they are, by name
	condition   map[string]any
}

// An expression of the policy language; in a template its bracket is doubled,
// so that the deployment leaves it alone.
func parameterOf(name string) string { return "[[parameters('" + name + "')]" }

var typeLocations = definition{
	name: "residency-types", title: "Residency: locations of types of resources",
	parameters: map[string]string{"types": "types of resources this is about", "locations": "locations they may be in"},
	condition: map[string]any{"allOf": []any{
		map[string]any{"field": "type", "in": parameterOf("types")},
		map[string]any{"field": "location", "notIn": parameterOf("locations")},
		map[string]any{"field": "location", "notEquals": "global"},
	}},
}

var geoRedundancy = definition{
	name: "residency-geo-redundancy", title: "Residency: storage accounts without copies in the replica pair",
	parameters: map[string]string{"locations": "locations whose replica pair may have copies"},
	condition: map[string]any{"allOf": []any{
		map[string]any{"field": "type", "equals": "Microsoft.Storage/storageAccounts"},
		map[string]any{"field": "location", "notIn": parameterOf("locations")},
		map[string]any{"field": "Microsoft.Storage/storageAccounts/sku.name", "in": []string{
			"Standard_GRS", "Standard_RAGRS", "Standard_GZRS", "Standard_RAGZRS", "StandardV2_GRS", "StandardV2_GZRS",
		}},
	}},
}

func newTemplate(managementGroup bool) *armTemplate {
	made := &armTemplate{Schema: schemas + "2018-05-01/subscriptionDeploymentTemplate.json#", ContentVersion: "1.0.0.0", managementGroup: managementGroup}
	if managementGroup {
		made.Schema = schemas + "2019-08-01/managementGroupDeploymentTemplate.json#"
	}
	return made
}

// id is the expression for the id of something the template makes.
func (t *armTemplate) id(kind, name string) string {
	if t.managementGroup {
		return fmt.Sprintf("[extensionResourceId(managementGroup().id, '%s', '%s')]", kind, name)
	}
	return fmt.Sprintf("[subscriptionResourceId('%s', '%s')]", kind, name)
}

// define adds a definition, once.
func (t *armTemplate) define(wanted definition) {
	if slices.ContainsFunc(t.Resources, func(r resource) bool { return r.Type == definitionType && r.Name == wanted.name }) {
		return
	}
	parameters := map[string]any{}
	for name, text := range wanted.parameters {
		parameters[name] = map[string]any{"type": "Array", "metadata": map[string]any{"displayName": name, "description": text}}
	}
	t.Resources = append(t.Resources, resource{Type: definitionType, APIVersion: "2023-04-01", Name: wanted.name, Properties: map[string]any{
		"displayName": wanted.title, "policyType": "Custom", "mode": "Indexed", "metadata": map[string]any{"category": "Residency", "version": "1.0.0"},
		"parameters": parameters,
		"policyRule": map[string]any{"if": wanted.condition, "then": map[string]any{"effect": "deny"}},
	}})
}

func (t *armTemplate) assignOwn(name, title string, wanted definition, parameters parameter) {
	t.define(wanted)
	id := t.id(definitionType, wanted.name)
	t.assignment(name, title, id, parameters, nil, id)
}

// assignBuiltIn assigns a definition of Azure's, in what is selected only when
// anything is.
func (t *armTemplate) assignBuiltIn(name, title, definition string, parameters parameter, selected []any) {
	t.assignment(name, title, "[tenantResourceId('"+definitionType+"', '"+definition+"')]", parameters, selected)
}

func (t *armTemplate) assignment(name, title, definition string, parameters parameter, selected []any, dependsOn ...string) {
	properties := map[string]any{
		"displayName": title, "policyDefinitionId": definition, "parameters": parameters, "enforcementMode": "Default",
		"nonComplianceMessages": []any{map[string]any{"message": title + ": not here. Ask fleetctl residency explain which rule says so."}},
	}
	if len(selected) > 0 {
		properties["resourceSelectors"] = selected
	}
	t.Resources = append(t.Resources, resource{Type: assignmentType, APIVersion: "2024-04-01", Name: name, DependsOn: dependsOn, Properties: properties})
}

// selectorValues is how many values a selector may have.
const selectorValues = 50

// locationsOf selects some locations; of too many, all but the others there are.
func locationsOf(some, others []string) []any {
	if len(some) <= selectorValues {
		return selector("in", some)
	}
	return selector("notIn", others)
}

func selector(operator string, locations []string) []any {
	if len(locations) == 0 {
		return nil
	}
	return []any{map[string]any{"name": "locations", "selectors": []any{map[string]any{"kind": "resourceLocation", operator: locations}}}}
}

func (t *armTemplate) assigned(name string) bool {
	return slices.ContainsFunc(t.Resources, func(r resource) bool { return r.Type == assignmentType && r.Name == name })
}

// exemptions let an exception's regions off an assignment, by as many exemptions
// as they fit into.
func (t *armTemplate) exemptions(exception residency.Exception, assignment string, regions []string, ends time.Time) {
	name := exception.Name
	for some := range slices.Chunk(regions, selectorValues) {
		t.exemption(exception, exemptionName(name, assignment), assignment, some, ends)
		name += "-more"
	}
}

// exemption says what was excepted and how many approved, not who.
func (t *armTemplate) exemption(exception residency.Exception, name, assignment string, regions []string, ends time.Time) {
	id := t.id(assignmentType, assignment)
	properties := map[string]any{
		"displayName": "Residency exception " + exception.Name, "description": "Suspends " + exception.Spec.Policy + "/" + exception.Spec.Rule + ".",
		"policyAssignmentId": id, "exemptionCategory": "Waiver", "resourceSelectors": selector("in", regions),
		"metadata": map[string]any{
			"exception": exception.Name, "rule": exception.Spec.Policy + "/" + exception.Spec.Rule,
			"reference": exception.Spec.Reference, "approvals": len(exception.Status.Approvals),
		},
	}
	if !ends.IsZero() {
		properties["expiresOn"] = ends.UTC().Format("2006-01-02T15:04:05Z")
	}
	t.Resources = append(t.Resources, resource{Type: exemptionType, APIVersion: "2022-07-01-preview", Name: name, DependsOn: []string{id}, Properties: properties})
}

func shortSum(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:4])
}
