package baseline

import (
	"errors"
	"fmt"
	"path"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// checkGenerated checks the name of objects that come with a cluster's facts.
// Whether there are any is found out when the bundle is resolved.
func (l *loader) checkGenerated(field, name string) {
	if len(validation.IsDNS1123Label(name)) > 0 {
		l.fault(field, "%q is not a DNS label", name)
	}
}

// sources are the objects of a component before overrides: the bundle's, or
// those generated for the cluster. A cluster that nothing was generated for is
// a fault: it would lack what the baseline promises.
func (c component) sources(facts Facts) ([]sourceObject, error) {
	name := c.spec.Source.Generated
	if name == "" {
		return c.objects, nil
	}
	documents := facts.Generated[name]
	if len(documents) == 0 {
		return nil, fleet.Errorf(fleet.ErrInvalid, "nothing was generated as %q for this cluster", name).
			On("component "+c.spec.Name).At(fleet.Position{}, "source.generated")
	}
	var objects []sourceObject
	var faults []error
	for number, document := range documents {
		file := path.Join("generated", fmt.Sprintf("%s[%d]", name, number))
		found, problems := parseManifests(file, document)
		objects, faults = append(objects, found...), append(faults, problems...)
	}
	return objects, errors.Join(faults...)
}
