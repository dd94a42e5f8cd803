package server

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/inventory"
	"github.com/meridian-fleet/meridian/internal/manifest"
)

// maxException is how long an exception lasts at most, counted from the
// request: whoever needs it longer asks again, and two people look again.
const maxException = 366 * 24 * time.Hour

// checkException looks at everything a request can get wrong.
func (s *Server) checkException(ctx context.Context, spec fleet.ExceptionSpec) error {
	c := &argumentChecker{argument: "spec"}
	c.faults = append(c.faults, s.Rules.CheckException(spec))
	s.checkTerm(c, spec)
	if strings.TrimSpace(spec.Reason) == "" {
		c.fault("reason", "is missing: say why the rule must not hold here")
	}
	for field, text := range map[string]string{"reason": spec.Reason, "reference": spec.Reference} {
		c.faults = append(c.faults, within("spec", checkLine(field, text)))
	}
	c.ref("subject", spec.Subject)
	for _, check := range []func(context.Context, *argumentChecker, fleet.ExceptionSpec) error{s.checkRule, s.checkSubject, s.checkScope} {
		if err := check(ctx, c, spec); err != nil {
			return err
		}
	}
	return firstOfField(c.faults)
}

// firstOfField keeps one fault for each field.
func firstOfField(faults []error) error {
	seen := map[string]bool{}
	var kept []error
	for _, one := range flatten(errors.Join(faults...)) {
		var fault *fleet.Error
		if errors.As(one, &fault) {
			if seen[fault.Field] {
				continue
			}
			seen[fault.Field] = true
		}
		kept = append(kept, one)
	}
	return errors.Join(kept...)
}

func (s *Server) checkTerm(c *argumentChecker, spec fleet.ExceptionSpec) {
	if spec.Until == "" {
		c.fault("until", "is missing: an exception ends")
		return
	}
	_, ends, err := s.Rules.Span(spec.Period)
	now := s.Now()
	switch {
	case err != nil:
		c.fault("until", "%w", err)
	case !ends.After(now):
		c.fault("until", "%s is past", spec.Until)
	case ends.After(now.Add(maxException)):
		c.fault("until", "more than %d days from now", int(maxException.Hours()/24))
	}
}

// checkRule: there is a rule of the name, and it is one that denies.
func (s *Server) checkRule(ctx context.Context, c *argumentChecker, spec fleet.ExceptionSpec) error {
	if spec.Policy == fleet.BuiltInPolicy {
		c.fault("policy", "Meridian's own rules cannot be suspended")
		return nil
	}
	if spec.Policy == "" || spec.Rule == "" {
		return nil // said by the rules themselves
	}
	policy, err := s.Store.Get(ctx, fleet.Ref{Kind: fleet.KindResidencyPolicy, Name: spec.Policy}, inventory.AsOf{})
	if errors.Is(err, fleet.ErrNotFound) {
		return s.faultUnknown(ctx, c, "policy", fleet.Ref{Kind: fleet.KindResidencyPolicy, Name: spec.Policy})
	}
	if err != nil {
		return err
	}
	text, err := fleet.SpecOf[fleet.ResidencyPolicySpec](policy)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(text.Rules, func(rule fleet.Rule) bool { return rule.Name == spec.Rule })
	switch {
	case at < 0:
		fault := c.fault("rule", "%s has no rule %q", spec.Policy, spec.Rule)
		known := make([]string, 0, len(text.Rules))
		for _, rule := range text.Rules {
			known = append(known, rule.Name)
		}
		fault.Advise("its rules are %s", strings.Join(known, ", "))
	case text.Rules[at].Kind() == fleet.RuleObligation:
		c.fault("rule", "%s is an obligation: it denies nothing", spec.Rule)
	}
	return nil
}

func (s *Server) checkSubject(ctx context.Context, c *argumentChecker, spec fleet.ExceptionSpec) error {
	if spec.Subject.Kind != fleet.KindDataset && spec.Subject.Kind != fleet.KindWorkload || spec.Subject.Name == "" {
		return nil
	}
	there, err := s.exists(ctx, spec.Subject)
	if err == nil && !there {
		err = s.faultUnknown(ctx, c, "subject.name", spec.Subject)
	}
	return err
}

// faultUnknown notes that nothing has the name in a field, and which may have
// been meant.
func (s *Server) faultUnknown(ctx context.Context, c *argumentChecker, field string, ref fleet.Ref) error {
	resources, err := s.Store.List(ctx, ref.Kind, inventory.Query{})
	if err != nil {
		return err
	}
	known := make([]string, len(resources))
	for i, resource := range resources {
		known[i] = resource.Metadata.Name
	}
	fault := c.fault(field, "there is no %s", ref)
	if near := manifest.Nearest(ref.Name, known); near != "" && near != ref.Name {
		fault.Advise("did you mean %s?", near)
	}
	return nil
}

// checkScope: what it names is there, as two people would approve for nothing
// what is written wrong.
func (s *Server) checkScope(ctx context.Context, c *argumentChecker, spec fleet.ExceptionSpec) error {
	for i, name := range spec.Scope.Groups {
		group := fleet.Ref{Kind: fleet.KindJurisdictionGroup, Name: name}
		there, err := s.exists(ctx, group)
		if err == nil && !there {
			err = s.faultUnknown(ctx, c, manifest.Element("scope.groups", i), group)
		}
		if err != nil {
			return err
		}
	}
	for i, name := range spec.Scope.Regions {
		known, err := s.RegionKnown(ctx, name)
		if err != nil {
			return err
		}
		if !known {
			c.fault(manifest.Element("scope.regions", i), "no provider has the region %s", name)
		}
	}
	return nil
}

func checkName(name string) error {
	if len(validation.IsDNS1123Label(name)) == 0 {
		return nil
	}
	return fleet.Errorf(fleet.ErrInvalid, "%q is not a DNS label", name).At(fleet.Position{}, "name").
		Advise("at most 63 of a-z, 0-9 and -, beginning and ending with a letter or digit")
}

func checkLine(field, text string) error {
	if len(text) > maxLine {
		return fleet.Errorf(fleet.ErrInvalid, "longer than %d bytes", maxLine).At(fleet.Position{}, field)
	}
	return nil
}
