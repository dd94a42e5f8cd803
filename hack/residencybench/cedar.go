package main

import (
	"fmt"
	"strings"

	"github.com/cedar-policy/cedar-go"
)

// cedarEngine is cedar-go with policies parsed and entities built beforehand.
type cedarEngine struct {
	policies *cedar.PolicySet
	entities cedar.EntityMap
	requests map[query]cedar.Request
	cites    map[cedar.PolicyID]string
}

func newCedar(c corpus, queries []query) (*cedarEngine, error) {
	engine := &cedarEngine{
		policies: cedar.NewPolicySet(), entities: cedar.EntityMap{}, requests: make(map[query]cedar.Request, len(queries)),
		cites: map[cedar.PolicyID]string{},
	}
	for _, r := range c.rules {
		if err := engine.add(r); err != nil {
			return nil, err
		}
	}
	if err := engine.cover(c); err != nil {
		return nil, err
	}
	engine.populate(c)
	for _, q := range queries {
		engine.requests[q] = cedar.Request{
			Principal: cedar.NewEntityUID("Dataset", cedar.String(c.datasets[q.dataset].name)),
			Action:    cedar.NewEntityUID("Action", cedar.String(q.facet)),
			Resource:  cedar.NewEntityUID("Region", cedar.String(c.regions[q.region].Name())),
		}
	}
	return engine, nil
}

// add writes a rule as a forbid.
func (e *cedarEngine) add(r rule) error {
	condition := "!(" + cedarSet(r.countries) + ".contains(resource.country))"
	if r.foreign != nil {
		condition = "resource.jurisdictions.containsAny(" + cedarSet(r.foreign) + ")"
	}
	if r.secrecy != "" {
		condition = fmt.Sprintf("principal.secrecy == %q && %s", r.secrecy, condition)
	}
	e.cites[cedar.PolicyID(r.name)] = "Art. " + r.name
	return e.parse(r.name, fmt.Sprintf("forbid (principal in Class::%q, action in [%s], resource) when { %s };", r.class, actions(r), condition))
}

// cover forbids data that no rule speaks about and permits the rest: one
// policy for each class that says which facets its rules cover.
func (e *cedarEngine) cover(c corpus) error {
	byClass := map[string][]string{}
	for _, r := range c.rules {
		for _, facet := range r.facets {
			covered := fmt.Sprintf("action == Action::%q", facet)
			if r.secrecy != "" {
				covered += fmt.Sprintf(" && principal.secrecy == %q", r.secrecy)
			}
			byClass[r.class] = append(byClass[r.class], "("+covered+")")
		}
	}
	for _, class := range c.classes() {
		policy := fmt.Sprintf("forbid (principal in Class::%q, action, resource)", class)
		if covered := byClass[class]; len(covered) > 0 {
			policy += " unless { " + strings.Join(covered, " || ") + " }"
		}
		if err := e.parse("no-rule/"+class, policy+";"); err != nil {
			return err
		}
	}
	return e.parse("permit", "permit (principal, action, resource);")
}

func (e *cedarEngine) parse(name, text string) error {
	var policy cedar.Policy
	if err := policy.UnmarshalCedar([]byte(text)); err != nil {
		return fmt.Errorf("cedar policy %s: %w", name, err)
	}
	e.policies.Add(cedar.PolicyID(name), &policy)
	return nil
}

func (e *cedarEngine) populate(c corpus) {
	put := func(uid cedar.EntityUID, attributes cedar.RecordMap, parents ...cedar.EntityUID) {
		e.entities[uid] = cedar.Entity{UID: uid, Attributes: cedar.NewRecord(attributes), Parents: cedar.NewEntityUIDSet(parents...)}
	}
	for _, class := range c.classes() {
		put(cedar.NewEntityUID("Class", cedar.String(class)), nil)
	}
	for _, d := range c.datasets {
		var parents []cedar.EntityUID
		for _, class := range d.classes {
			parents = append(parents, cedar.NewEntityUID("Class", cedar.String(class)))
		}
		put(cedar.NewEntityUID("Dataset", cedar.String(d.name)), cedar.RecordMap{"secrecy": cedar.String(d.secrecy)}, parents...)
	}
	for _, region := range c.regions {
		var jurisdictions []cedar.Value
		for _, one := range region.Jurisdictions {
			jurisdictions = append(jurisdictions, cedar.String(one))
		}
		put(cedar.NewEntityUID("Region", cedar.String(region.Name())), cedar.RecordMap{
			"country": cedar.String(region.Country), "jurisdictions": cedar.NewSet(jurisdictions...),
		})
	}
}

func cedarSet(values []string) string {
	set := regoSet(values)
	return "[" + set[1:len(set)-1] + "]"
}

func actions(r rule) string {
	var names []string
	for _, facet := range r.facets {
		names = append(names, fmt.Sprintf("Action::%q", facet))
	}
	return strings.Join(names, ", ")
}

func (e *cedarEngine) allowed(q query) bool {
	decision, _ := cedar.Authorize(e.policies, e.entities, e.requests[q])
	return decision == cedar.Allow
}

// explained returns the citations of the policies that decided.
func (e *cedarEngine) explained(q query) []string {
	_, diagnostic := cedar.Authorize(e.policies, e.entities, e.requests[q])
	var cites []string
	for _, reason := range diagnostic.Reasons {
		cites = append(cites, e.cites[reason.PolicyID])
	}
	return cites
}
