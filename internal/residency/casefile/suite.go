package casefile

import (
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/manifest"
	"github.com/meridian-fleet/meridian/internal/residency"
)

// Suite is what Run runs: case files and the documents they rest on.
type Suite struct {
	files []*caseFile
	rules []rule // of policies beside the cases and below the folders given
}

// caseFile is one document with cases, and what they rest on.
type caseFile struct {
	rulebook  *residency.Rulebook
	documents records
	regions   []regionForm
	cases     []situation
}

// situation is one case, checked.
type situation struct {
	caseForm
	at       time.Time
	position fleet.Position
}

// Load reads case files, and folders with everything below that is one. With
// each come the documents of the other files in its folder, those it uses and
// those it has in place. All faults are joined, each a *fleet.Error with the
// place in its file and the field; then there is no suite.
func Load(paths ...string) (*Suite, error) {
	l := newLoader()
	for _, path := range paths {
		l.path(path)
	}
	if len(l.suite.files) == 0 && len(l.faults) == 0 {
		where := fleet.Position{File: strings.Join(paths, ", ")}
		return nil, fleet.Errorf(fleet.ErrInvalid, "there are no cases").At(where, "").
			Advise("a case file is a YAML file with kind: %s", KindCases)
	}
	return l.done()
}

// loader gathers a suite, and what is wrong with its files.
type loader struct {
	reader *reader
	suite  *Suite
	around *shelf // documents below the folders given, which cases should exercise
	loaded map[string]bool
	faults []error
}

func newLoader() *loader {
	reader := newReader()
	return &loader{reader: reader, suite: &Suite{}, around: newShelf(reader), loaded: map[string]bool{}}
}

// done is the suite, if nothing is wrong with it.
func (l *loader) done() (*Suite, error) {
	if err := inOrder(l.faults...); err != nil {
		return nil, err
	}
	l.suite.rules = append(l.suite.rules, rulesOf(l.around.documents)...)
	for _, file := range l.suite.files {
		l.suite.rules = append(l.suite.rules, file.documents.rules...)
	}
	return l.suite, nil
}

func (l *loader) path(path string) {
	list, folder, err := files(path)
	if err != nil {
		l.faults = append(l.faults, err)
		return
	}
	for _, file := range list {
		found, err := l.reader.file(file)
		switch {
		case err != nil:
			l.fault(err)
		case found.isCases():
			l.cases(found)
		case folder:
			l.fault(l.around.file(file, true))
		default:
			l.fault(fleet.Errorf(fleet.ErrInvalid, "has no cases").At(fleet.Position{File: file}, "").
				Advise("a case file has kind: %s", KindCases))
		}
	}
}

// fault notes an error, once however many case files use what it is about.
func (l *loader) fault(err error) {
	for _, fault := range flatten(err) {
		if key := "fault " + fault.Error(); !l.loaded[key] {
			l.loaded[key] = true
			l.faults = append(l.faults, fault)
		}
	}
}

// cases reads a file with cases, once.
func (l *loader) cases(found *source) {
	if l.loaded[identity(found.path)] {
		return
	}
	l.loaded[identity(found.path)] = true
	for _, part := range found.parts {
		if part.Kind() == KindCases {
			l.document(found, part)
		}
	}
}

// document reads one document with cases.
func (l *loader) document(found *source, part manifest.Part) {
	content, index, err := manifest.DecodePart[form](part)
	f := newFaults(index, err)
	before := len(l.faults)
	shelf := l.gather(f, found, content)
	file := &caseFile{documents: newRecords(shelf.documents), regions: content.Catalog}
	file.rulebook, err = residency.NewRulebook(file.documents.resources)
	l.fault(file.documents.locate(err))
	file.documents.incomplete = len(l.faults) > before || f.knows("use") || f.knows("documents")
	checkForm(f, content)
	for i, written := range content.Cases {
		file.cases = append(file.cases, checkCase(f, file.documents, content.At, i, written))
	}
	l.fault(inOrder(f.list...))
	l.suite.files = append(l.suite.files, file)
}

// gather reads the documents that cases rest on.
func (l *loader) gather(f *faults, found *source, content form) *shelf {
	shelf := newShelf(l.reader)
	shelf.files[identity(found.path)] = true
	for i, used := range content.Use {
		if err := shelf.use(filepath.Join(filepath.Dir(found.path), filepath.FromSlash(used))); err != nil {
			l.used(f, manifest.Element("use", i), used, err)
		}
	}
	neighbours, err := beside(found.path)
	l.fault(err)
	for _, neighbour := range neighbours {
		l.fault(shelf.file(neighbour, true))
	}
	inside := slices.DeleteFunc(slices.Clone(found.parts), func(part manifest.Part) bool { return part.Kind() == KindCases })
	for _, part := range append(inside, content.Documents...) {
		if part != (manifest.Part{}) { // else what stands there is at fault already
			l.fault(shelf.part(part))
		}
	}
	return shelf
}

// used says what is wrong with what a case file uses: that it is not there is
// the case file's fault, what stands in it is its own.
func (l *loader) used(f *faults, field, used string, err error) {
	fault := flatten(err)
	if len(fault) > 1 || fault[0].Position.Line > 0 {
		l.fault(err)
		return
	}
	f.note(field, "%s: %s", used, fault[0].Message).Hint = orElse(fault[0].Hint, "paths are relative to the case file")
}
