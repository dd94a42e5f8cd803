package residency

import (
	"time"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// Reference is the slow evaluator.
func Reference(r *Rulebook, catalog *Catalog, at time.Time, subject Subject, q fleet.Question) fleet.Verdict {
	c, err := r.Compile(catalog, at)
	if err != nil {
		return fleet.Verdict{Question: q}
	}
	return c.Explain(c.Prepare(subject), q)
}
