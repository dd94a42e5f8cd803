package residency

import "github.com/meridian-fleet/meridian/internal/fleet"

// Changed is an alternative with the question as it would be then.
type Changed struct {
	fleet.Alternative
	Catalog  *Catalog
	Subject  Subject
	Question fleet.Question
}

// Changes are a denial's alternatives, for tests to judge again.
func Changes(c *Compiled, p *Prepared, q fleet.Question) []Changed {
	var list []Changed
	for _, offered := range changes(c.matter(p, q)) {
		list = append(list, Changed{
			Alternative: offered.Alternative, Catalog: offered.after.compiled.catalog,
			Subject: offered.after.parts[0].prepared.subject, Question: offered.after.question,
		})
	}
	return list
}
