package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
)

// opaEngine is OPA as its documentation says it is fastest: prepared queries,
// inputs parsed beforehand, and rules whose first expressions compare ground
// references with constants, so that the rule index finds them.
type opaEngine struct {
	allow, deny rego.PreparedEvalQuery
	inputs      map[query]ast.Value
}

func newOPA(ctx context.Context, c corpus, queries []query) (*opaEngine, error) {
	module := c.rego()
	engine := &opaEngine{inputs: make(map[query]ast.Value, len(queries))}
	var err error
	if engine.allow, err = rego.New(rego.Query("data.residency.allow"), rego.Module("residency.rego", module)).PrepareForEval(ctx); err != nil {
		return nil, err
	}
	if engine.deny, err = rego.New(rego.Query("data.residency.deny"), rego.Module("residency.rego", module)).PrepareForEval(ctx); err != nil {
		return nil, err
	}
	for _, q := range queries {
		if engine.inputs[q], err = c.opaInput(q); err != nil {
			return nil, err
		}
	}
	return engine, nil
}

func (c corpus) rego() string {
	var b strings.Builder
	b.WriteString("package residency\n\ndefault allow := false\n\nallow if {\n\tcount(deny) == 0\n}\n\n")
	for _, class := range c.classes() {
		fmt.Fprintf(&b, "deny contains {\"rule\": \"no-rule/%s\", \"cites\": \"\"} if {\n\tinput.classes[%q] == true\n\tnot covered_%s\n}\n\n", class, class, class)
	}
	for _, r := range c.rules {
		for _, facet := range r.facets {
			head := fmt.Sprintf("\tinput.classes[%q] == true\n\tinput.facet == %q\n", r.class, facet)
			if r.secrecy != "" {
				head += fmt.Sprintf("\tinput.secrecy == %q\n", r.secrecy)
			}
			fmt.Fprintf(&b, "covered_%s if {\n%s}\n\n", r.class, head)
			body := "\tnot input.country in " + regoSet(r.countries)
			if r.foreign != nil {
				body = "\tsome j in input.jurisdictions\n\tj in " + regoSet(r.foreign)
			}
			fmt.Fprintf(&b, "deny contains {\"rule\": %q, \"cites\": %q} if {\n%s%s\n}\n\n", r.name, "Art. "+r.name, head, body)
		}
	}
	return b.String()
}

// classes that some rule or dataset names.
func (c corpus) classes() []string {
	seen := map[string]bool{}
	var names []string
	note := func(name string) {
		if !seen[name] {
			seen[name], names = true, append(names, name)
		}
	}
	for _, r := range c.rules {
		note(r.class)
	}
	for _, d := range c.datasets {
		for _, class := range d.classes {
			note(class)
		}
	}
	return names
}

func regoSet(values []string) string {
	quoted := make([]string, len(values))
	for i, value := range values {
		quoted[i] = fmt.Sprintf("%q", value)
	}
	return "{" + strings.Join(quoted, ", ") + "}"
}

func (c corpus) opaInput(q query) (ast.Value, error) {
	d, region := c.datasets[q.dataset], c.regions[q.region]
	classes := map[string]any{}
	for _, class := range d.classes {
		classes[class] = true
	}
	jurisdictions := make([]any, len(region.Jurisdictions))
	for i, one := range region.Jurisdictions {
		jurisdictions[i] = one
	}
	return ast.InterfaceToValue(map[string]any{
		"classes": classes, "facet": string(q.facet), "secrecy": d.secrecy, "country": region.Country, "jurisdictions": jurisdictions,
	})
}

func (e *opaEngine) allowed(ctx context.Context, q query) (bool, error) {
	results, err := e.allow.Eval(ctx, rego.EvalParsedInput(e.inputs[q]))
	if err != nil || len(results) == 0 {
		return false, err
	}
	allowed, _ := results[0].Expressions[0].Value.(bool)
	return allowed, nil
}

// explained returns the rules that deny, with their citations.
func (e *opaEngine) explained(ctx context.Context, q query) ([]any, error) {
	results, err := e.deny.Eval(ctx, rego.EvalParsedInput(e.inputs[q]))
	if err != nil || len(results) == 0 {
		return nil, err
	}
	denials, ok := results[0].Expressions[0].Value.([]any)
	if !ok {
		raw, _ := json.Marshal(results) // for the message
		return nil, fmt.Errorf("OPA answered %s", raw)
	}
	return denials, nil
}
