package providers

import "slices"

// Has reports whether the provider has a capability.
func (d Description) Has(capability Capability) bool {
	return slices.Contains(d.Capabilities, capability)
}

// Region returns the region with an id.
func (d Description) Region(id string) (Region, bool) {
	for _, region := range d.Regions {
		if region.ID == id {
			return region, true
		}
	}
	return Region{}, false
}
