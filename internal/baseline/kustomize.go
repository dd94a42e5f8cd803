package baseline

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// kustomizationFiles are the names kustomize looks for in a folder.
var kustomizationFiles = []string{"kustomization.yaml", "kustomization.yml", "Kustomization"}

// kustomize builds a folder in memory. Everything a kustomization refers to is
// checked first, so that kustomize never comes to fetch, clone or run
// something.
func (l *loader) kustomize(field, folder string) ([]sourceObject, []error) {
	check := kustomizeCheck{path: l.path, files: l.files, folders: folders(l.files), visited: map[string]bool{}}
	if !check.folder(folder) {
		l.fault(field, "%q has no kustomization.yaml", folder)
		return nil, nil
	}
	if len(check.faults) > 0 {
		return nil, check.faults
	}
	at := fleet.Position{File: path.Join(l.path, folder, check.file(folder))}
	rendered, err := buildKustomization(l.files, folder)
	if err != nil {
		return nil, []error{fleet.Errorf(fleet.ErrInvalid, "kustomize: %w", err).At(at, "")}
	}
	objects, faults := parseManifests(at.File, rendered)
	for i := range objects {
		objects[i].at = at
	}
	for _, fault := range faults {
		// Lines of what kustomize made are not lines of a file people have.
		var known *fleet.Error
		if errors.As(fault, &known) {
			known.Position = at
		}
	}
	if len(objects) == 0 && len(faults) == 0 {
		l.fault(field, "%q makes no Kubernetes object", folder)
	}
	return objects, faults
}

// buildKustomization renders a folder; the file system it sees holds the
// bundle and nothing else.
func buildKustomization(files map[string][]byte, folder string) (rendered []byte, err error) {
	defer func() {
		if panicked := recover(); panicked != nil {
			err = fmt.Errorf("cannot build: %v", panicked)
		}
	}()
	system := filesys.MakeFsInMemory()
	for name, content := range files {
		if err := system.WriteFile(path.Join("/bundle", name), content); err != nil {
			return nil, err
		}
	}
	options := krusty.MakeDefaultOptions()
	options.PluginConfig = types.DisabledPluginConfig()
	resources, err := krusty.MakeKustomizer(options).Run(system, path.Join("/bundle", folder))
	if err != nil {
		return nil, err
	}
	return resources.AsYaml()
}

// kustomizeCheck follows the references of kustomizations through a bundle.
type kustomizeCheck struct {
	path    string
	files   map[string][]byte
	folders map[string]bool
	visited map[string]bool
	faults  []error
}

// file is the kustomization file of a folder, empty when it has none.
func (c *kustomizeCheck) file(folder string) string {
	for _, name := range kustomizationFiles {
		if _, ok := c.files[path.Join(folder, name)]; ok {
			return name
		}
	}
	return ""
}

// folder checks the kustomization in a folder and those it refers to.
func (c *kustomizeCheck) folder(folder string) bool {
	name := c.file(folder)
	if name == "" || c.visited[folder] {
		return name != ""
	}
	c.visited[folder] = true
	file := path.Join(folder, name)
	shown := path.Join(c.path, file)
	raw, err := yaml.YAMLToJSONStrict(c.files[file])
	if err != nil {
		c.faults = append(c.faults, yamlFaults(shown, err)...)
		return true
	}
	content := map[string]any{}
	if err := decodeJSON(raw, &content); err != nil {
		c.faults = append(c.faults, fleet.Errorf(fleet.ErrInvalid, "want a kustomization").At(fleet.Position{File: shown}, ""))
		return true
	}
	c.check(folder, newPositions(shown, c.files[file], 1), content)
	return true
}

// refusedInKustomization are the fields that run or fetch something.
var refusedInKustomization = []string{"generators", "transformers", "validators", "helmCharts", "helmChartInflationGenerator", "helmGlobals"}

func (c *kustomizeCheck) check(folder string, index positions, content map[string]any) {
	for _, field := range refusedInKustomization {
		if content[field] != nil {
			c.fault(index, field, "is not supported in a bundle: it needs plugins or programs")
		}
	}
	for _, field := range []string{"resources", "components", "bases"} {
		eachText(content[field], field, func(at, reference string) { c.reference(folder, index, at, reference, true) })
	}
	for _, field := range []string{"crds", "configurations"} {
		eachText(content[field], field, func(at, reference string) { c.reference(folder, index, at, reference, false) })
	}
	for _, field := range []string{"patches", "patchesJson6902", "replacements", "openapi"} {
		eachText(content[field], field, func(at, reference string) {
			if isPathOf(at, field) {
				c.reference(folder, index, at, reference, false)
			}
		})
	}
	eachText(content["patchesStrategicMerge"], "patchesStrategicMerge", func(at, reference string) {
		if !isInlinePatch(reference) {
			c.reference(folder, index, at, reference, false)
		}
	})
	for _, field := range []string{"configMapGenerator", "secretGenerator"} {
		eachText(content[field], field, func(at, reference string) {
			if strings.Contains(at, ".files[") || strings.Contains(at, ".envs[") || strings.HasSuffix(at, "].env") {
				_, file, named := strings.Cut(reference, "=")
				if !named {
					file = reference
				}
				c.reference(folder, index, at, file, false)
			}
		})
	}
}

// isPathOf reports whether a field is "NAME.path" or "NAME[3].path".
func isPathOf(field, name string) bool {
	rest, ok := strings.CutSuffix(strings.TrimPrefix(field, name), ".path")
	return ok && !strings.Contains(rest, ".")
}

// isInlinePatch reports whether an entry is a patch, not the path of one.
func isInlinePatch(text string) bool {
	object := map[string]any{}
	return yaml.Unmarshal([]byte(text), &object) == nil && (&unstructured.Unstructured{Object: object}).GetKind() != ""
}

func (c *kustomizeCheck) fault(index positions, field, format string, args ...any) {
	c.faults = append(c.faults, fleet.Errorf(fleet.ErrInvalid, format, args...).At(index.of(field), field))
}

// reference wants a path, relative to folder, of a file or folder in the
// bundle, and follows it when it is a kustomization.
func (c *kustomizeCheck) reference(folder string, index positions, field, reference string, mayBeFolder bool) {
	target := path.Join(folder, reference)
	_, isFile := c.files[target]
	switch {
	case isRemote(reference):
		c.fault(index, field, "%q is remote: a bundle holds all it needs", reference)
	case path.IsAbs(reference) || target == ".." || strings.HasPrefix(target, "../"):
		c.fault(index, field, "%q leaves the bundle", reference)
	case isFile:
	case !mayBeFolder || !c.folders[target]:
		c.fault(index, field, "%q is not in the bundle", reference)
	case !c.folder(target):
		c.fault(index, field, "%q has no kustomization.yaml", reference)
	}
}

// isRemote reports whether kustomize could take a reference for a URL or a
// git repository, which it does before it looks for a file.
func isRemote(reference string) bool {
	lower := strings.ToLower(reference)
	return strings.ContainsAny(reference, ":?@") || strings.Contains(reference, "//") ||
		slices.ContainsFunc([]string{"github.com", "www.github.com", "ssh.github.com"}, func(host string) bool { return strings.HasPrefix(lower, host) })
}
