package manifest

import (
	"context"
	"errors"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// Check compares documents with each other and with what there is: a resource
// written twice, and references to profiles, baselines, regions, groups,
// classes and datasets that exist neither in the documents nor in the
// inventory. lookup says whether a
// resource is there, regionKnown whether a provider's catalog has a region. An
// error of theirs ends the check; all faults found are reported together.
func Check(ctx context.Context, docs []Document, lookup func(fleet.Ref) (bool, error), regionKnown func(name string) (bool, error)) error {
	c := &checker{written: map[fleet.Ref]Document{}, lookup: lookup, regionKnown: regionKnown}
	for _, document := range docs {
		ref := document.Resource.Ref()
		if first, twice := c.written[ref]; twice {
			c.faults = append(c.faults, document.Fault("", "is written twice, first at %s", first.Position))
			continue
		}
		c.written[ref] = document
	}
	for _, document := range docs {
		if err := errors.Join(ctx.Err(), c.references(document)); err != nil {
			return err
		}
	}
	return errors.Join(c.faults...)
}

type checker struct {
	written     map[fleet.Ref]Document
	lookup      func(fleet.Ref) (bool, error)
	regionKnown func(string) (bool, error)
	faults      []error
}

func (c *checker) references(document Document) error {
	var err error
	switch document.Resource.Kind {
	case fleet.KindRegion:
		err = c.region(document)
	case fleet.KindCluster:
		err = c.cluster(document)
	}
	if err != nil {
		return err
	}
	return c.mentioned(document)
}

func (c *checker) region(document Document) error {
	spec, err := fleet.SpecOf[fleet.RegionSpec](document.Resource)
	if err != nil {
		return err
	}
	name := document.Resource.Metadata.Name
	known, err := c.regionKnown(name)
	if err != nil {
		return err
	}
	if !known {
		provider, id, _ := fleet.SplitRegion(name)
		c.faults = append(c.faults, document.Fault("metadata.name", "unknown region: provider %s has no region %q", provider, id))
	}
	err = c.profile(document, spec.Profile, name)
	if err == nil && spec.Baseline != "" {
		err = c.exists(document, "spec.baseline", fleet.Ref{Kind: fleet.KindBaseline, Name: spec.Baseline},
			"apply the baseline's folder first, or together with this")
	}
	return err
}

func (c *checker) cluster(document Document) error {
	spec, err := fleet.SpecOf[fleet.ClusterSpec](document.Resource)
	if err != nil {
		return err
	}
	if err := c.exists(document, "spec.region", fleet.Ref{Kind: fleet.KindRegion, Name: spec.Region}, "declare the Region first, or together with this"); err != nil {
		return err
	}
	return c.profile(document, spec.Profile, spec.Region)
}

// profile checks that a profile exists and, when it is written here too, that
// it can be had from the region's provider.
func (c *checker) profile(document Document, profile, region string) error {
	ref := fleet.Ref{Kind: fleet.KindClusterProfile, Name: profile}
	written, ok := c.written[ref]
	if !ok {
		return c.exists(document, "spec.profile", ref, "declare the ClusterProfile first, or together with this")
	}
	spec, err := fleet.SpecOf[fleet.ClusterProfileSpec](written.Resource)
	if err != nil {
		return err
	}
	provider, _, _ := fleet.SplitRegion(region)
	for _, pool := range spec.NodePools {
		if pool.InstanceTypes[provider] == "" {
			c.faults = append(c.faults, document.Fault("spec.profile", "node pool %q of ClusterProfile %s has no instance type for provider %s", pool.Name, profile, provider))
		}
	}
	return nil
}

// exists checks that a resource is written here or in the inventory.
func (c *checker) exists(document Document, field string, ref fleet.Ref, advice string) error {
	if _, written := c.written[ref]; written {
		return nil
	}
	found, err := c.lookup(ref)
	if err == nil && !found {
		c.faults = append(c.faults, document.Fault(field, "there is no %s", ref).Advise("%s", advice))
	}
	return err
}
