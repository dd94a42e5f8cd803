package providers

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation"
)

// MaxClusterNameLength leaves room for the suffixes of the objects made for a
// cluster, which are DNS labels too.
const MaxClusterNameLength = 40

// maxPoolNameLength keeps CLUSTER-POOL a DNS label.
const maxPoolNameLength = validation.DNS1123LabelMaxLength - MaxClusterNameLength - 1

var kubernetesVersion = regexp.MustCompile(`^[1-9]\d*\.(0|[1-9]\d*)\.(0|[1-9]\d*)$`)

var taintEffects = []string{"NoSchedule", "PreferNoSchedule", "NoExecute"}

// Validate checks what can be checked without knowing the cloud. It reports
// every fault at once, as an error of KindInvalid.
func (r ClusterRequest) Validate() error {
	var found Faults
	found.dnsLabel("name", r.Name, MaxClusterNameLength)
	found.dnsLabel("namespace", r.Namespace, validation.DNS1123LabelMaxLength)
	if r.Region == "" {
		found.Add("region", "must be set")
	}
	if !kubernetesVersion.MatchString(r.KubernetesVersion) {
		found.Add("kubernetesVersion", "want a version such as 1.36.3, got %q", r.KubernetesVersion)
	}
	found.labels("labels", r.Labels)
	if len(r.NodePools) == 0 {
		found.Add("nodePools", "a cluster needs at least one")
	}
	seen := map[string]bool{}
	for i, pool := range r.NodePools {
		field := fmt.Sprintf("nodePools[%d]", i)
		pool.validate(field, &found)
		if seen[pool.Name] {
			found.Add(field+".name", "%q is used twice", pool.Name)
		}
		seen[pool.Name] = true
	}
	return found.Err("cluster request for %s", r.Name)
}

func (p NodePool) validate(field string, found *Faults) {
	found.dnsLabel(field+".name", p.Name, maxPoolNameLength)
	if p.Replicas < 0 || p.Replicas > 5000 {
		found.Add(field+".replicas", "want 0 to 5000, got %d", p.Replicas)
	}
	if p.InstanceType == "" {
		found.Add(field+".instanceType", "must be set")
	}
	found.labels(field+".labels", p.Labels)
	for i, taint := range p.Taints {
		taint.validate(fmt.Sprintf("%s.taints[%d]", field, i), found)
	}
	if p.GPU != nil {
		p.GPU.validate(field+".gpu", found)
	}
}

func (t Taint) validate(field string, found *Faults) {
	for _, message := range validation.IsQualifiedName(t.Key) {
		found.Add(field+".key", "%q: %s", t.Key, message)
	}
	for _, message := range validation.IsValidLabelValue(t.Value) {
		found.Add(field+".value", "%q: %s", t.Value, message)
	}
	if !slices.Contains(taintEffects, t.Effect) {
		found.Add(field+".effect", "want one of %s, got %q", strings.Join(taintEffects, ", "), t.Effect)
	}
}

func (g GPU) validate(field string, found *Faults) {
	if g.Product == "" {
		found.Add(field+".product", "must be set")
	}
	for _, message := range validation.IsValidLabelValue(g.Product) {
		found.Add(field+".product", "%q: %s", g.Product, message)
	}
	if g.Count < 1 || g.Count > 64 {
		found.Add(field+".count", "want 1 to 64, got %d", g.Count)
	}
	for _, message := range validation.IsValidLabelValue(g.DriverVersion) {
		found.Add(field+".driverVersion", "%q: %s", g.DriverVersion, message)
	}
	if g.Memory == "" {
		return
	}
	if quantity, err := resource.ParseQuantity(g.Memory); err != nil || quantity.Sign() <= 0 {
		found.Add(field+".memory", "want a quantity such as 80Gi, got %q", g.Memory)
	}
}

// Faults collects what is wrong with a request.
type Faults []Fault

// Add records one fault.
func (f *Faults) Add(field, format string, args ...any) {
	*f = append(*f, Fault{Field: field, Message: fmt.Sprintf(format, args...)})
}

// Err is nil when there are no faults, else an error of KindInvalid with all
// of them about the named subject.
func (f Faults) Err(format string, args ...any) error {
	if len(f) == 0 {
		return nil
	}
	return &Error{Kind: KindInvalid, Message: fmt.Sprintf(format, args...), Faults: f}
}

func (f *Faults) dnsLabel(field, value string, maxLength int) {
	if len(value) > maxLength {
		f.Add(field, "%q is longer than %d characters", value, maxLength)
	}
	if messages := validation.IsDNS1123Label(value); len(messages) > 0 {
		f.Add(field, "%q: %s", value, messages[0])
	}
}

func (f *Faults) labels(field string, labels map[string]string) {
	for _, key := range slices.Sorted(maps.Keys(labels)) {
		for _, message := range validation.IsQualifiedName(key) {
			f.Add(field, "key %q: %s", key, message)
		}
		for _, message := range validation.IsValidLabelValue(labels[key]) {
			f.Add(field+"."+key, "value %q: %s", labels[key], message)
		}
	}
}
