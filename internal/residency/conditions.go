package residency

import (
	"fmt"
	"slices"
	"strings"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/types"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// checkNames finds names of facts that do not exist, and values a fact never
// has: a condition with such a typing error would silently never be true.
func checkNames(parsed *cel.Ast) []Problem {
	var faults []Problem
	ast.PreOrderVisit(parsed.NativeRep().Expr(), ast.NewExprVisitor(func(expr ast.Expr) {
		switch expr.Kind() {
		case ast.SelectKind:
			faults = append(faults, checkSelect(expr)...)
		case ast.CallKind:
			faults = append(faults, checkCall(expr)...)
		}
	}))
	return faults
}

// factOf is the fact a select expression names: data.NAME or region.NAME.
func factOf(expr ast.Expr) (prefix, name string, ok bool) {
	if expr.Kind() != ast.SelectKind || expr.AsSelect().Operand().Kind() != ast.IdentKind {
		return "", "", false
	}
	prefix = expr.AsSelect().Operand().AsIdent()
	_, ok = conditionFacts[prefix]
	return prefix, expr.AsSelect().FieldName(), ok
}

func checkSelect(expr ast.Expr) []Problem {
	prefix, name, ok := factOf(expr)
	switch {
	case !ok:
		return nil
	case expr.AsSelect().IsTestOnly():
		return []Problem{{Message: "has() cannot ask whether a fact is known", Hint: "leave it out: an unknown fact never helps, and the rule still forbids"}}
	}
	if _, ok := definitionOf(conditionFacts[prefix], name); ok {
		return nil
	}
	hint := didYouMean(name, definitionNames(conditionFacts[prefix]))
	for other, definitions := range conditionFacts {
		if _, ok := definitionOf(definitions, name); ok {
			hint = fmt.Sprintf("did you mean %s.%s?", other, name)
		}
	}
	return []Problem{{Message: fmt.Sprintf("there is no fact %s.%s", prefix, name), Hint: hint}}
}

// undeclared is how the type check begins to say that a name is unknown.
const undeclared = "undeclared reference to '"

// adviseName suggests what was meant by an undeclared name.
func adviseName(message string) string {
	_, rest, ok := strings.Cut(message, undeclared)
	if !ok {
		return ""
	}
	name, _, _ := strings.Cut(rest, "'")
	for prefix, definitions := range conditionFacts {
		if prefix == name {
			return fmt.Sprintf("facts are written %s.NAME", prefix)
		}
		if _, ok := definitionOf(definitions, name); ok && name != "name" {
			return fmt.Sprintf("did you mean %s.%s?", prefix, name)
		}
	}
	return didYouMean(name, []string{"data", "region", "facet"})
}

// checkCall compares the texts a fact is compared with to those it can have.
func checkCall(expr ast.Expr) []Problem {
	call := expr.AsCall()
	compares := []string{operators.Equals, operators.NotEquals, operators.In}
	if !slices.Contains(compares, call.FunctionName()) || len(call.Args()) != 2 {
		return nil
	}
	var faults []Problem
	for i, side := range call.Args() {
		name, values := allowedValues(side)
		for _, text := range literalTexts(call.Args()[1-i]) {
			if values != nil && !slices.Contains(values, text) {
				faults = append(faults, Problem{Message: fmt.Sprintf("%s is never %q", name, text), Hint: adviseValue(text, values)})
			}
		}
	}
	return faults
}

func adviseValue(text string, values []string) string {
	if len(values) == len(countryNames) {
		return countryLike(text)
	}
	return didYouMean(text, values)
}

// allowedValues are the only texts an expression can be; nil means any.
func allowedValues(expr ast.Expr) (name string, values []string) {
	if expr.Kind() == ast.IdentKind && expr.AsIdent() == "facet" {
		for _, facet := range fleet.Facets {
			values = append(values, string(facet))
		}
		return "facet", values
	}
	prefix, fact, ok := factOf(expr)
	if !ok {
		return "", nil
	}
	definition, _ := definitionOf(conditionFacts[prefix], fact)
	if slices.Contains(countryFacts, fact) || prefix == "region" && slices.Contains([]string{"country", "jurisdictions"}, fact) {
		return prefix + "." + fact, countryNames
	}
	return prefix + "." + fact, definition.Values
}

// literalTexts are the texts written in a literal or a list of literals.
func literalTexts(expr ast.Expr) []string {
	switch expr.Kind() {
	case ast.LiteralKind:
		if text, ok := expr.AsLiteral().(types.String); ok {
			return []string{string(text)}
		}
	case ast.ListKind:
		var texts []string
		for _, element := range expr.AsList().Elements() {
			texts = append(texts, literalTexts(element)...)
		}
		return texts
	}
	return nil
}

// literals are the texts and numbers written in a condition.
func literals(checked *cel.Ast) (texts []string, numbers []int64) {
	ast.PreOrderVisit(checked.NativeRep().Expr(), ast.NewExprVisitor(func(expr ast.Expr) {
		if expr.Kind() != ast.LiteralKind {
			return
		}
		switch literal := expr.AsLiteral().(type) {
		case types.String:
			texts = append(texts, string(literal))
		case types.Int:
			numbers = append(numbers, int64(literal))
		}
	}))
	return texts, numbers
}
