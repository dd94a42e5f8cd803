package residency

import "github.com/meridian-fleet/meridian/internal/fleet"

// Judge is Explain with, for a denial, the nearest changes that would make it
// a yes.
func (c *Compiled) Judge(p *Prepared, q fleet.Question) fleet.Verdict {
	verdict := c.Explain(p, q)
	if !verdict.Allowed {
		verdict.Alternatives = c.alternatives(p, verdict)
	}
	return verdict
}

func (c *Compiled) alternatives(p *Prepared, verdict fleet.Verdict) []fleet.Alternative { return nil }

func (c *Compiled) workloadAlternatives(workload fleet.Ref, uses []Use, exceptions []Exception, verdict fleet.Verdict) []fleet.Alternative {
	return nil
}
