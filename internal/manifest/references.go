package manifest

import (
	"slices"
	"strings"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/residency"
)

// countryPlace is what places outside clouds begin with: country/XX.
const countryPlace = "country/"

// advice says what to do about a document that is named and not there.
var advice = map[fleet.Kind]string{
	fleet.KindJurisdictionGroup: "declare the JurisdictionGroup first, or together with this",
	fleet.KindDataClass:         "declare the DataClass first, or together with this",
	fleet.KindDataset:           "declare the Dataset first, or together with this",
}

// mentioned checks that everything a document names is there.
func (c *checker) mentioned(document Document) error {
	mentions, err := fleet.Mentions(document.Resource)
	if err != nil {
		return err
	}
	for _, mention := range mentions {
		switch mention.Ref.Kind {
		case fleet.KindRegion:
			err = c.place(document, mention.Field, mention.Ref.Name)
		case fleet.KindJurisdictionGroup:
			if _, country := residency.Country(mention.Ref.Name); !country {
				err = c.named(document, mention)
			}
		default:
			err = c.named(document, mention)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *checker) named(document Document, mention fleet.Mention) error {
	return c.exists(document, mention.Field, mention.Ref, c.similar(mention.Ref)+advice[mention.Ref.Kind])
}

// similar suggests a name among the documents written together.
func (c *checker) similar(ref fleet.Ref) string {
	var names []string
	for written := range c.written {
		if written.Kind == ref.Kind {
			names = append(names, written.Name)
		}
	}
	slices.Sort(names)
	if near := nearest(ref.Name, names); near != "" && near != ref.Name {
		return "did you mean " + near + "? Otherwise "
	}
	return ""
}

// place checks that a region is in its provider's catalog, or a country.
func (c *checker) place(document Document, field, name string) error {
	if code, outside := strings.CutPrefix(name, countryPlace); outside {
		if _, ok := residency.Country(code); !ok {
			c.faults = append(c.faults, document.Fault(field, "there is no country %q", code).Advise("want an ISO 3166-1 code, such as country/IN"))
		}
		return nil
	}
	known, err := c.regionKnown(name)
	if err == nil && !known {
		provider, id, _ := fleet.SplitRegion(name)
		c.faults = append(c.faults, document.Fault(field, "unknown region: provider %s has no region %q", provider, id))
	}
	return err
}
