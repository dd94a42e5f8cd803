package compliance

import (
	"fmt"
	"slices"
	"time"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/residency"
)

// rules adds when which policies that speak of the dataset's classes were law,
// and when groups they need were recorded anew.
func (h *historian) rules() {
	classes := h.classes()
	groups := map[string]bool{}
	for _, name := range h.names(fleet.KindResidencyPolicy) {
		h.policy(fleet.Ref{Kind: fleet.KindResidencyPolicy, Name: name}, classes, groups)
	}
	for _, name := range h.names(fleet.KindJurisdictionGroup) {
		if groups[name] {
			h.group(fleet.Ref{Kind: fleet.KindJurisdictionGroup, Name: name})
		}
	}
}

// classes are all classes the dataset ever had, with inherited ones.
func (h *historian) classes() []string {
	var named []string
	for _, one := range h.versions(h.dataset) {
		if spec := one.dataset(); spec != nil {
			named = append(named, spec.Classes...)
		}
	}
	if h.rulebook == nil {
		return named
	}
	all, _ := residency.Classes(h.rulebook, named)
	return append(all, named...)
}

// policy adds a policy's versions, and notes the groups they name.
func (h *historian) policy(ref fleet.Ref, classes []string, groups map[string]bool) {
	relevant := false
	for _, span := range h.timeline(ref) {
		resource, _ := span.content.(fleet.Resource)
		spec, err := fleet.SpecOf[fleet.ResidencyPolicySpec](resource)
		switch {
		case span.fault != nil || err != nil:
			h.note(span.version, span.from, eventPolicy, fmt.Sprintf("policy %s cannot be read", ref.Name))
			continue
		case span.deleted:
			if relevant {
				h.note(span.version, span.from, eventPolicy, fmt.Sprintf("policy %s was taken back", ref.Name))
			}
			continue
		}
		if relevant = slices.ContainsFunc(spec.AppliesTo.Classes, func(class string) bool { return slices.Contains(classes, class) }); !relevant {
			continue
		}
		h.note(span.version, span.from, eventPolicy, titled(fmt.Sprintf("policy %s version %s is law", ref.Name, spec.Version), spec.Title))
		h.policyEnds(span, spec)
		for _, mention := range mentionsOf(resource) {
			if mention.Ref.Kind == fleet.KindJurisdictionGroup {
				groups[mention.Ref.Name] = true
			}
		}
	}
}

// policyEnds adds the end a version has by its own words, when none came
// before.
func (h *historian) policyEnds(s span, spec fleet.ResidencyPolicySpec) {
	zone, err := time.LoadLocation(spec.TimeZone)
	if err != nil {
		return
	}
	ends, err := residency.Ends(spec.Effective, zone)
	if err == nil && !ends.IsZero() && (s.until.IsZero() || ends.Before(s.until)) {
		h.note(s.version, ends, eventPolicy, fmt.Sprintf("policy %s version %s ended", s.ref.Name, spec.Version))
	}
}

func mentionsOf(resource fleet.Resource) []fleet.Mention {
	mentions, err := fleet.Mentions(resource)
	if err != nil {
		return nil // a document that cannot be read names nothing; its own event says so
	}
	return mentions
}

// group adds the versions of a group. Each counts for all times.
func (h *historian) group(ref fleet.Ref) {
	for _, one := range h.versions(ref) {
		resource, _ := one.content.(fleet.Resource)
		spec, err := fleet.SpecOf[fleet.JurisdictionGroupSpec](resource)
		text := titled(fmt.Sprintf("group %s version %s was recorded", ref.Name, spec.Version), spec.Title)
		switch {
		case one.deleted:
			text = fmt.Sprintf("group %s was taken back", ref.Name)
		case one.fault != nil || err != nil:
			text = fmt.Sprintf("group %s cannot be read", ref.Name)
		}
		h.note(one, one.recorded, eventPolicy, text)
	}
}

func titled(text, title string) string {
	if title == "" {
		return text
	}
	return text + ": " + title
}

// exception adds what happened to an exception for the dataset.
func (h *historian) exception(ref fleet.Ref) {
	var before fleet.ExceptionStatus
	for _, one := range h.versions(ref) {
		exception, ok := one.content.(*residency.Exception)
		if !ok {
			continue
		}
		spec, status := exception.Spec, exception.Status
		what := fmt.Sprintf("exception %s from %s/%s", ref.Name, spec.Policy, spec.Rule)
		if status.RequestedAt != "" && before.RequestedAt == "" {
			h.note(one, instant(status.RequestedAt), eventException, fmt.Sprintf("%s until %s was requested by %s", what, spec.Until, status.RequestedBy))
		}
		for _, approval := range status.Approvals[min(len(before.Approvals), len(status.Approvals)):] {
			h.note(one, instant(approval.At), eventException, fmt.Sprintf("%s was approved by %s", what, approval.By))
		}
		if status.ApprovedAt != "" && before.ApprovedAt == "" {
			h.exceptionPeriod(one, spec, status, what)
		}
		if status.RevokedAt != "" && before.RevokedAt == "" {
			h.note(one, instant(status.RevokedAt), eventException, titled(fmt.Sprintf("%s was revoked by %s", what, status.RevokedBy), status.Message))
		}
		before = status
	}
}

// exceptionPeriod adds when an approved exception begins and ends.
func (h *historian) exceptionPeriod(told *version, spec fleet.ExceptionSpec, status fleet.ExceptionStatus, what string) {
	begins := instant(status.ApprovedAt)
	if from, err := residency.Begins(spec.Period, time.UTC); err == nil && from.After(begins) {
		begins = from
	}
	h.note(told, begins, eventException, what+" is in force")
	if ends, err := residency.Ends(spec.Period, time.UTC); err == nil && !ends.IsZero() {
		h.note(told, ends, eventException, what+" ends")
	}
}

// instant reads a time Meridian wrote; zero when it cannot be read.
func instant(text string) time.Time {
	at, err := residency.ParseInstant(text)
	if err != nil {
		return time.Time{}
	}
	return at
}
