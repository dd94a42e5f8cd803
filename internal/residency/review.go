package residency

import (
	"time"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// Review finds what is suspicious about the rules from an instant on.
func (r *Rulebook) Review(catalog *Catalog, from time.Time, subjects []Subject) []fleet.PolicyWarning {
	return nil
}
