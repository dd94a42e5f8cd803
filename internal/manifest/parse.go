package manifest

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// Document is one resource as it was written.
type Document struct {
	Resource fleet.Resource
	Position fleet.Position // of the document's first line
	fields   *Index
}

// Fault makes an error about a field of the document.
func (d Document) Fault(field, format string, arguments ...any) *fleet.Error {
	fault := fleet.Errorf(fleet.ErrInvalid, format, arguments...).At(d.Position, field).On(d.Resource.Ref().String())
	if d.fields != nil {
		fault.Position = d.fields.Position(field)
	}
	return fault
}

// Parse reads every document of a file. The path is for messages only. All
// faults of the file are joined, each a *fleet.Error with Position and, where
// there is one, Field. A file without documents gives none.
func Parse(path string, content []byte) ([]Document, error) {
	roots, err := split(path, content)
	var faults []error
	var documents []Document
	for _, root := range roots {
		document, wrong := parseDocument(path, root)
		documents = append(documents, document)
		faults = append(faults, wrong...)
	}
	if err = errors.Join(append(few(path, faults), err)...); err != nil {
		return nil, err
	}
	return documents, nil
}

// maxFaults is how many faults of a file are told one by one.
const maxFaults = 500

// few keeps an error about a hopeless file readable.
func few(path string, faults []error) []error {
	if len(faults) <= maxFaults {
		return faults
	}
	more := fleet.Errorf(fleet.ErrInvalid, "%d more faults", len(faults)-maxFaults).At(fleet.Position{File: path}, "")
	return append(faults[:maxFaults:maxFaults], more)
}

// envelope is the form all documents share.
type envelope[Spec any] struct {
	APIVersion string     `json:"apiVersion"`
	Kind       fleet.Kind `json:"kind"`
	Metadata   struct {
		Name        string            `json:"name"`
		Labels      map[string]string `json:"labels"`
		Annotations map[string]string `json:"annotations"`
	} `json:"metadata"`
	Spec Spec `json:"spec"`
}

// refusedFields are fields of a resource that people do not write.
var refusedFields = map[string]string{
	"status":             "is observed by Meridian, not written in documents",
	"metadata.owner":     "is set by Meridian, not written in documents",
	"metadata.revision":  "is set by Meridian, not written in documents",
	"metadata.createdAt": "is set by Meridian, not written in documents",
	"metadata.updatedAt": "is set by Meridian, not written in documents",
	"metadata.version":   "only a Baseline has a version",
}

// readers read the documents of each kind.
var readers = map[fleet.Kind]func(path string, root *yaml.Node) (Document, []error){
	fleet.KindRegion:          readAs(checkRegion),
	fleet.KindCluster:         readAs(checkCluster),
	fleet.KindClusterProfile:  readAs(checkProfile),
	fleet.KindRolloutStrategy: readAs(checkStrategy),

	fleet.KindResidencyPolicy:   readAs(checkPolicy),
	fleet.KindJurisdictionGroup: readAs(checkGroup),
	fleet.KindDataClass:         readAs(checkClass),
	fleet.KindDataset:           readAs(checkDataset),
	fleet.KindWorkload:          readAs(checkWorkload),
}

func parseDocument(path string, root *yaml.Node) (Document, []error) {
	kind := kindOf(root)
	if read, ok := readers[kind]; ok {
		return read(path, root)
	}
	if kind == fleet.KindBaseline {
		fault := newDecoder(path, root).fault(root, "kind", "a Baseline is applied from its folder").
			Advise("fleetctl apply -f FOLDER, the one with baseline.yaml")
		return Document{}, []error{fault}
	}
	return readAs(func(report *report, _ string, _ json.RawMessage) {
		if root.Kind == yaml.MappingNode {
			refuseKind(report, kind)
		}
	})(path, root)
}

// kindOf looks for the kind of a document, which decides how it is read.
func kindOf(root *yaml.Node) fleet.Kind {
	if root.Kind == yaml.MappingNode {
		for i := 0; i+1 < len(root.Content); i += 2 {
			if root.Content[i].Value == "kind" && root.Content[i+1].Kind == yaml.ScalarNode {
				return fleet.Kind(root.Content[i+1].Value)
			}
		}
	}
	return ""
}

func refuseKind(report *report, kind fleet.Kind) {
	var names []string
	for _, known := range fleet.DeclaredKinds {
		names = append(names, string(known))
	}
	list := "known kinds are " + strings.Join(names, ", ")
	switch {
	case kind == "":
		report.fault("kind", "is missing").Advise("%s", list)
	case kind == fleet.KindException:
		report.fault("kind", "an Exception is asked for and approved by two people, not declared").Advise("fleetctl exception request")
	case slices.Contains(fleet.Kinds, kind):
		report.fault("kind", "a %s is recorded by Meridian, not declared", kind).Advise("%s", list)
	default:
		if near := nearest(string(kind), names); near != "" {
			list = fmt.Sprintf("did you mean %s? %s", near, list)
		}
		report.fault("kind", "unknown kind %q", kind).Advise("%s", list)
	}
}

// readAs makes the reader of a kind from its spec's type and rules.
func readAs[Spec any](check func(report *report, name string, spec Spec)) func(string, *yaml.Node) (Document, []error) {
	return func(path string, root *yaml.Node) (Document, []error) {
		d := newDecoder(path, root)
		d.refused = refusedFields
		var content envelope[Spec]
		d.value(root, reflect.ValueOf(&content).Elem(), "", 0)
		report := newReport(d)
		if root.Kind == yaml.MappingNode {
			checkEnvelope(report, content.APIVersion, content.Metadata.Name, content.Metadata.Labels, content.Metadata.Annotations)
		}
		check(report, content.Metadata.Name, content.Spec)
		resource, err := fleet.NewResource(content.Kind, content.Metadata.Name, content.Spec, nil)
		if err != nil {
			report.faults = append(report.faults, err)
		}
		resource.Metadata.Labels, resource.Metadata.Annotations = content.Metadata.Labels, content.Metadata.Annotations
		finish(report.faults, resource.Ref())
		return Document{Resource: resource, Position: d.index.Position(""), fields: d.index}, report.faults
	}
}

// finish puts faults into the order of the file and says in each which
// resource it is about.
func finish(faults []error, ref fleet.Ref) {
	place := func(err error) (fault *fleet.Error) {
		if !errors.As(err, &fault) {
			fault = &fleet.Error{}
		}
		return fault
	}
	slices.SortStableFunc(faults, func(a, b error) int {
		left, right := place(a), place(b)
		return cmp.Or(cmp.Compare(left.Position.Line, right.Position.Line),
			cmp.Compare(left.Position.Column, right.Position.Column), cmp.Compare(left.Field, right.Field))
	})
	for _, err := range faults {
		if ref.Kind != "" && ref.Name != "" {
			place(err).Object = ref.String()
		}
	}
}
