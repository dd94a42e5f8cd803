package enforce

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/residency"
)

// limits are what a target cannot do.
type limits struct {
	target  string // as in sentences
	facets  map[fleet.Facet]string
	copies  string   // why a copy that must exist cannot be demanded
	general []string // about the target as a whole
}

// Reasons that hold for every cloud.
const (
	reasonAccess    = "who looks at data, and from where, is not decided where resources are made"
	reasonTelemetry = "what logs, traces and metrics carry, and where agents send them, is not visible to it"
	reasonMetadata  = "names, tags and catalogs are kept in the cloud's global control plane"
	reasonTransit   = "the way data takes through networks is not visible to it"
	reasonLater     = "what changes after it was compiled, by another rule or an exception that is revoked, holds once it is compiled and attached again"
)

var kubernetesLimits = limits{
	target: "the API server",
	facets: map[fleet.Facet]string{
		fleet.FacetKey:       "where the keys are that a cloud encrypts volumes with is decided by the cloud; compile for the cloud besides",
		fleet.FacetBackup:    "snapshots and backups are made by the cloud or by drivers, from volumes the API server has admitted already; compile for the cloud besides",
		fleet.FacetReplica:   "replication is a matter of the storage behind a volume; of storage classes only the drivers' own redundancy parameters are looked at",
		fleet.FacetAccess:    "who may read through the API or exec into a pod is a matter of its access control, and where people are is not known to it",
		fleet.FacetTelemetry: "what pods send elsewhere is not visible to it",
		fleet.FacetMetadata:  "names and labels of objects are visible to whoever may list them",
		fleet.FacetTransit:   "where packets go is a matter of network policies and of the cloud",
	},
	copies: "it can refuse a place and not demand a copy elsewhere; a dataset is judged with the copies known when the parameters were made, a class as if there were none",
	general: []string{
		"labels are trusted: what is labelled wrongly, loses its labels, or has none in namespaces that do not require any, is not seen; the volumes a pod uses are judged by their own labels, not by the pod's",
		"objects that are there already stay; the audit names them",
		"what changes, by another rule or an exception that is revoked, holds once the parameters are delivered again; the drift check shows where they are not",
		"in the namespaces left alone what has no label is admitted, and while the parameters are not there what has one, too",
		"who can change the policies or their parameters can undo them; the drift check finds it, and healing takes it back. It does not compare the labels by which namespaces require labels",
		"volumes that pods name themselves (NFS, iSCSI, the inline ones of drivers), unlabelled volumes somebody bound to a claim by name, and the accounts, file systems and servers that parameters of a storage class name may be elsewhere; compile for the cloud besides",
		"where nodes are is not looked at: those in Local Zones or at other sites may be in another country than the cluster's region",
		"pods that processes make by other ways than the API server (static pods) are not seen",
	},
}

// residual lists the clauses of the policies in force that a target does not
// keep, policy by policy, and what is true of the target as a whole.
func (c *Compiler) residual(limits limits) []Residual {
	var list []Residual
	for _, policy := range c.policies {
		for _, rule := range policy.spec.Rules {
			if c.concerns(policy, rule) && !c.over(policy, rule) {
				list = append(list, residualOf(policy.name, rule, limits)...)
			}
		}
	}
	for _, policy := range c.upcoming {
		if !slices.ContainsFunc(policy.spec.Rules, func(rule fleet.Rule) bool { return c.concerns(policy, rule) }) {
			continue
		}
		list = append(list, Residual{Policy: policy.name, Reason: fmt.Sprintf("version %s is in force from %s: compile again then", policy.spec.Version, policy.spec.Effective.From)})
	}
	if horizon := c.horizon(); !horizon.IsZero() {
		list = append(list, Residual{Reason: fmt.Sprintf("the rules change more than %d times; from %s on nothing is allowed until somebody compiles again", lawsKept, horizon.UTC().Format(time.RFC3339))})
	}
	for _, reason := range limits.general {
		list = append(list, Residual{Reason: reason})
	}
	return list
}

// over reports whether a rule has ended for good.
func (c *Compiler) over(policy policy, rule fleet.Rule) bool {
	if rule.Effective == nil {
		return false
	}
	end, err := residency.Ends(*rule.Effective, policy.zone)
	return err == nil && !end.IsZero() && !end.After(c.input.At)
}

// concerns reports whether a rule is about something that is compiled.
func (c *Compiler) concerns(policy policy, rule fleet.Rule) bool {
	if len(c.input.Classes)+len(c.input.Datasets) == 0 {
		return true
	}
	classes := slices.Clone(c.input.Classes)
	for _, name := range c.input.Datasets {
		classes = append(classes, c.subjects[name].Classes...)
	}
	about, _ := residency.Classes(c.rulebook, classes)
	named := func(list []string) bool {
		return slices.ContainsFunc(list, func(class string) bool { return slices.Contains(about, class) })
	}
	return named(policy.spec.AppliesTo.Classes) && (len(rule.Classes) == 0 || named(rule.Classes))
}

func residualOf(policy string, rule fleet.Rule, limits limits) []Residual {
	var list []Residual
	add := func(facet fleet.Facet, format string, args ...any) {
		list = append(list, Residual{Policy: policy, Rule: rule.Name, Facet: facet, Reason: fmt.Sprintf(format, args...)})
	}
	if rule.Obligation != nil {
		add("", "an obligation is done by people: %s", rule.Obligation.Text)
		return list
	}
	for _, facet := range rule.Facets {
		if reason, cannot := limits.facets[facet]; cannot {
			add(facet, "%s", reason)
		}
	}
	if len(list) == len(rule.Facets) { // nothing of it is kept
		return list
	}
	switch rule.Kind() {
	case fleet.RuleRequireCopy:
		add("", "%s", limits.copies)
	case fleet.RuleTransferIf:
		if rule.TransferIf.Basis != fleet.BasisAdequacy {
			add("", "that the %s exists and holds is taken from the dataset's document, and is so until its date; %s does not see it",
				rule.TransferIf.Basis, limits.target)
		}
	case fleet.RuleOperator:
		add("", "places of other operators are refused; that the operator's staff and owners are who the catalog says, and stay so, is not enforced by %s", limits.target)
	}
	if strings.Contains(rule.When, "data.") {
		add("", "its condition looks at facts of the data, which %s does not know: it is compiled for the datasets named, and for a class as if the facts were unknown", limits.target)
	}
	if rule.MinimumSource != "" {
		add("", "how well facts are known (at least %s) is judged when compiling, not by %s", rule.MinimumSource, limits.target)
	}
	if rule.Effective != nil && rule.Effective.Until != "" {
		add("", "it ends with %s: compile again then", rule.Effective.Until)
	}
	return list
}
