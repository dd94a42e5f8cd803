package enforce

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/residency"
)

const (
	// parametersSize bounds a cluster's parameters, in bytes: an object has
	// room for a little more than a million, which the server's own record of
	// its fields needs a part of.
	parametersSize = 512 << 10
	// denialSize bounds the text of one denial, in bytes.
	denialSize = 700
)

// labelValue is what a label can say, of at most 63 characters.
var labelValue = regexp.MustCompile(`^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$`)

// clusterFacets are the facets an API server can judge: of pods and of volumes.
var clusterFacets = []fleet.Facet{fleet.FacetProcessing, fleet.FacetStorage}

// parameters say what may be done in a region, in the form the admission
// policies read. They do not change with time unless what is allowed does.
func (c *Compiler) parameters(region string) (map[string]string, []Residual, error) {
	provider, id, _ := fleet.SplitRegion(region)
	data := map[string]string{
		"region": region, "regionID": id, "zones": zonePattern(provider, id),
		"storageClasses": strings.Join(orRegional(c.input.Kubernetes.StorageClasses), ","), "unlabelled": "admitted",
	}
	if c.input.Kubernetes.RefuseUnlabelled {
		data["unlabelled"] = "refused"
	}
	residual, err := c.judgeAll(data, region)
	if err != nil {
		return nil, nil, err
	}
	for _, limit := range []int{200, 80, 0} {
		if size(data) > parametersSize {
			shortenDenials(data, limit)
		}
	}
	if size(data) <= parametersSize {
		return data, residual, nil
	}
	return nil, nil, fleet.Errorf(fleet.ErrInvalid, "what is allowed in %s takes %d KiB, and a cluster has room for %d", region, size(data)>>10, parametersSize>>10).
		Advise("declare fewer datasets and workloads to clusters: label pods and volumes with classes")
}

func orRegional(classes []string) []string {
	if len(classes) == 0 {
		return []string{RegionalStorageClass}
	}
	return classes
}

// judgeAll adds the verdicts about every class, dataset and workload. What a
// label cannot name is left out, and so refused.
func (c *Compiler) judgeAll(data map[string]string, region string) ([]Residual, error) {
	var residual []Residual
	nameable := func(kind, name string) bool {
		ok := labelValue.MatchString(name)
		if !ok {
			residual = append(residual, Residual{Reason: fmt.Sprintf("the %s %s is refused everywhere: its name does not fit into a label of Kubernetes", kind, name)})
		}
		return ok
	}
	for _, class := range c.classes {
		if nameable("class", class) {
			if err := c.judgeOne(data, region, "class."+class, Workload{Uses: []Use{{Subject: ofClasses(class)}}}); err != nil {
				return nil, err
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.subjects)) {
		if nameable("dataset", name) {
			subject := c.subjects[name]
			data["classes.dataset."+name] = strings.Join(c.speaksFor(subject.Classes), ",")
			if err := c.judgeOne(data, region, "dataset."+name, Workload{Uses: []Use{{Subject: subject}}}); err != nil {
				return nil, err
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.workloads)) {
		if nameable("workload", name) {
			workload := c.workloads[name]
			data["classes.workload."+name] = strings.Join(c.speaksFor(workload.Classes), ",")
			if err := c.judgeOne(data, region, "workload."+name, workload); err != nil {
				return nil, err
			}
		}
	}
	return residual, nil
}

// speaksFor are the classes that a dataset of some classes answers for: those,
// and all that they are.
func (c *Compiler) speaksFor(classes []string) []string {
	all, _ := residency.Classes(c.rulebook, classes)
	all = slices.Clone(all)
	slices.Sort(all)
	return all
}

// judgeOne writes what is allowed to be done with one thing in the region.
func (c *Compiler) judgeOne(data map[string]string, region, key string, workload Workload) error {
	var subjects []residency.Subject
	for _, use := range workload.Uses {
		subjects = append(subjects, use.Subject)
	}
	moments, err := c.moments(workload.Exceptions, subjects...)
	if err != nil {
		return err
	}
	for _, facet := range clusterFacets {
		data[string(facet)+"."+key] = standing(moments, region, facet, workload)
	}
	return nil
}

// standing is the verdict now and, when it is a yes, until when.
func standing(moments []moment, region string, facet fleet.Facet, workload Workload) string {
	verdict := moments[0].judge(region, facet, workload)
	if !verdict.Allowed {
		return denial(verdict)
	}
	for _, later := range moments[1:] {
		if !later.judge(region, facet, workload).Allowed {
			return "allowed until " + later.at.UTC().Format("2006-01-02T15:04:05Z")
		}
	}
	return "allowed"
}

// denial names the rules that deny: POLICY/RULE (citation): reason.
func denial(verdict fleet.Verdict) string {
	var reasons []string
	for _, finding := range verdict.Findings {
		if finding.Effect != fleet.EffectDenies {
			continue
		}
		text := finding.ID()
		if finding.Cites != "" {
			text += " (" + finding.Cites + ")"
		}
		if finding.Reason != "" {
			text += ": " + finding.Reason
		}
		if !slices.Contains(reasons, text) {
			reasons = append(reasons, text)
		}
	}
	if len(reasons) == 0 {
		return "denied"
	}
	text := "denied by " + strings.Join(reasons, "; ")
	return shorten(strings.Join(strings.Fields(text), " "), denialSize)
}

func shorten(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	cut := max(0, limit-len("…"))
	for cut > 0 && !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + "…"
}

// shortenDenials makes room; a denial stays one, and with a limit of zero says
// no more than that.
func shortenDenials(data map[string]string, limit int) {
	for key, value := range data {
		if strings.HasPrefix(value, "denied") {
			data[key] = shorten(value, max(limit, len("denied…")))
		}
	}
}

func size(data map[string]string) int {
	total := 0
	for key, value := range data {
		total += 2*len(key) + len(value)
	}
	return total
}
