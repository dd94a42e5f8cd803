package casefile

import (
	"encoding/json"
	"errors"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/manifest"
)

// document is a resource and where it was written.
type document struct {
	resource fleet.Resource
	at       func(field string) fleet.Position
}

// LoadDocuments reads the documents of files and of folders with everything
// below; case files in folders are left out. Exceptions, which elsewhere only
// calls of their own make, may be among them with their status. All faults are
// joined, each a *fleet.Error with the place in its file.
func LoadDocuments(paths ...string) ([]fleet.Resource, error) {
	shelf := newShelf(newReader())
	var faults []error
	for _, path := range paths {
		faults = append(faults, shelf.use(path))
	}
	if err := inOrder(faults...); err != nil {
		return nil, err
	}
	resources := make([]fleet.Resource, len(shelf.documents))
	for i, document := range shelf.documents {
		resources[i] = document.resource
	}
	return resources, nil
}

// shelf gathers documents, each file once and each resource once.
type shelf struct {
	reader    *reader
	files     map[string]bool
	documents []document
	first     map[string]fleet.Position // by what must not be there twice
}

func newShelf(reader *reader) *shelf {
	return &shelf{reader: reader, files: map[string]bool{}, first: map[string]fleet.Position{}}
}

// use adds the documents of a file, or of a folder with everything below.
func (s *shelf) use(path string) error {
	list, folder, err := files(path)
	if err != nil {
		return err
	}
	var faults []error
	for _, file := range list {
		faults = append(faults, s.file(file, folder))
	}
	return errors.Join(faults...)
}

// file adds the documents of one file. One with cases has none to offer: where
// many files are meant it is skipped.
func (s *shelf) file(path string, skipCases bool) error {
	if s.files[identity(path)] {
		return nil
	}
	s.files[identity(path)] = true
	found, err := s.reader.file(path)
	switch {
	case err != nil:
		return err
	case found.isCases() && skipCases:
		return nil
	case found.isCases():
		return fleet.Errorf(fleet.ErrInvalid, "has cases, not documents").At(fleet.Position{File: path}, "").
			Advise("name the files its documents are in")
	}
	var faults []error
	for _, part := range found.parts {
		faults = append(faults, s.part(part))
	}
	return errors.Join(faults...)
}

// part adds one document.
func (s *shelf) part(part manifest.Part) error {
	read, err := readDocument(part)
	if err != nil {
		return err
	}
	identity := versionOf(read.resource)
	if first, twice := s.first[identity]; twice {
		return fleet.Errorf(fleet.ErrInvalid, "is declared twice, first at %s", first).
			At(read.at("metadata.name"), "metadata.name").On(read.resource.Ref().String())
	}
	s.first[identity] = read.at("")
	s.documents = append(s.documents, read)
	return nil
}

// versionOf is what no two documents have in common: kind and name, and what
// tells the versions of a policy, a group, a dataset or a workload apart.
func versionOf(resource fleet.Resource) string {
	var version struct {
		Version string `json:"version"`
		Since   string `json:"since"`
	}
	if json.Unmarshal(resource.Spec, &version) != nil {
		version.Version, version.Since = "", ""
	}
	return resource.Ref().String() + "\x00" + version.Version + "\x00" + version.Since
}

// readDocument reads a document strictly, whatever its kind.
func readDocument(part manifest.Part) (document, error) {
	switch kind := part.Kind(); {
	case kind == fleet.KindException:
		return readException(part)
	case meantCases(kind):
		_, index, _ := manifest.DecodePart[map[string]any](part)
		return document{}, index.Fault("kind", "unknown kind %q", kind).Advise("did you mean %q?", KindCases)
	}
	read, err := part.Document()
	if err != nil {
		return document{}, err
	}
	at := func(field string) fleet.Position { return read.Fault(field, "").Position }
	return document{resource: read.Resource, at: at}, nil
}

// meantCases reports whether a kind that there is not is most like that of
// case files: what stands under it is then no resource written wrongly.
func meantCases(kind fleet.Kind) bool {
	known := []string{string(KindCases)}
	for _, one := range fleet.Kinds {
		known = append(known, string(one))
	}
	return kind != KindCases && manifest.Nearest(string(kind), known) == string(KindCases)
}
