package enforce

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"text/template"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

//go:embed kubernetes/*.yaml
var kubernetesFiles embed.FS

// systemNamespaces are left alone by the policies, but for data: what keeps a
// cluster alive must start also when nobody said yet what is allowed.
var systemNamespaces = []string{"kube-system", "kube-public", "kube-node-lease", "meridian-system"}

// namespaceName is the grammar of a namespace's name; some are written into
// expressions.
var namespaceName = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`)

// kubernetes writes the policies, which are the same in every cluster, and the
// parameters of one.
func (c *Compiler) kubernetes() (Output, error) {
	policies, err := AdmissionPolicies(c.input.Kubernetes.SystemNamespaces)
	if err != nil {
		return Output{}, err
	}
	objects, residual, err := c.guardrails(c.input.Kubernetes.Region)
	if err != nil {
		return Output{}, err
	}
	list, err := json.MarshalIndent(map[string]any{"apiVersion": "v1", "kind": "List", "items": objects}, "", "  ")
	if err != nil {
		return Output{}, fleet.Errorf(fleet.ErrInternal, "encode the parameters: %w", err)
	}
	return Output{
		Files: []File{
			{Path: "parameters.json", Content: append(list, '\n')},
			{Path: "policies.yaml", Content: policies},
		},
		Residual: append(residual, c.residual(kubernetesLimits)...),
	}, nil
}

// AdmissionPolicies are the validating admission policies and their bindings,
// as YAML. Pods and volumes without a label in the named namespaces, and in
// those of Kubernetes and Meridian, are left alone.
func AdmissionPolicies(namespaces []string) ([]byte, error) {
	for i, name := range namespaces {
		if !namespaceName.MatchString(name) {
			return nil, fleet.Errorf(fleet.ErrInvalid, "%q is no name of a namespace", name).At(fleet.Position{}, fmt.Sprintf("kubernetes.systemNamespaces[%d]", i))
		}
	}
	left := slices.Concat(systemNamespaces, namespaces)
	files, err := template.New("").
		Funcs(template.FuncMap{
			"systemNamespaces": func() string { return strings.Join(left, ", ") },
			"quotedNamespaces": func() string { return `"` + strings.Join(left, `", "`) + `"` },
		}).
		ParseFS(kubernetesFiles, "kubernetes/*.yaml")
	if err != nil {
		return nil, fleet.Errorf(fleet.ErrInternal, "read the policies: %w", err)
	}
	var out bytes.Buffer
	if err := files.ExecuteTemplate(&out, "policies.yaml", nil); err != nil {
		return nil, fleet.Errorf(fleet.ErrInternal, "write the policies: %w", err)
	}
	return out.Bytes(), nil
}

// Guardrails are the objects the policies need in every cluster of a region:
// the namespace and ConfigMap of parameters, and a storage class that keeps
// volumes in the region. The same documents give the same objects at any
// instant between two changes of what is allowed.
func (c *Compiler) Guardrails(region string) ([]json.RawMessage, error) {
	objects, _, err := c.guardrails(region)
	return objects, err
}

func (c *Compiler) guardrails(region string) ([]json.RawMessage, []Residual, error) {
	provider, id, ok := fleet.SplitRegion(region)
	if !ok {
		return nil, nil, fleet.Errorf(fleet.ErrInvalid, "%q is no region", region).
			At(fleet.Position{}, "region").Advise("want PROVIDER/ID, such as aws/eu-central-1")
	}
	data, residual, err := c.parameters(region)
	if err != nil {
		return nil, nil, err
	}
	objects := []any{
		map[string]any{"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": "residency-system"}},
		map[string]any{
			"apiVersion": "v1", "kind": "ConfigMap",
			"metadata": map[string]any{"namespace": "residency-system", "name": "residency"}, "data": data,
		},
	}
	if class := storageClass(provider, id); class != nil {
		objects = append(objects, class)
	}
	documents := make([]json.RawMessage, len(objects))
	for i, object := range objects {
		if documents[i], err = json.Marshal(object); err != nil {
			return nil, nil, fleet.Errorf(fleet.ErrInternal, "encode the guardrails: %w", err)
		}
	}
	return documents, residual, nil
}
