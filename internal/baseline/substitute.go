package baseline

import (
	"fmt"
	"strings"
)

// AnnotationSubstitute opts an object in to substitution: with the value
// "true", every ${expression} in its texts is replaced by what the CEL
// expression over provider, region and cluster gives. $${ stands for a literal
// ${. A list of texts is joined by commas; keys are left alone.
const AnnotationSubstitute = "meridian.dev/substitute"

// textPart is literal text, or an expression to evaluate in its place.
type textPart struct {
	literal    string
	expression *expression
}

// parseTemplate parts a text into literals and compiled expressions. A text
// without ${ gives nil.
func parseTemplate(text string) ([]textPart, error) {
	if !strings.Contains(text, "${") {
		return nil, nil
	}
	var parts []textPart
	for rest := text; rest != ""; {
		start := strings.Index(rest, "${")
		if start < 0 {
			return append(parts, textPart{literal: rest}), nil
		}
		if start > 0 && rest[start-1] == '$' {
			parts = append(parts, textPart{literal: rest[:start-1] + "${"})
			rest = rest[start+2:]
			continue
		}
		end := expressionEnd(rest[start+2:])
		if end < 0 {
			return nil, fmt.Errorf("${ without a closing } in %q", text)
		}
		source := rest[start+2 : start+2+end]
		compiled, _, err := compileExpression(factsEnvironment, source)
		if err != nil {
			return nil, fmt.Errorf("${%s}: %w", source, err)
		}
		parts = append(parts, textPart{literal: rest[:start]}, textPart{expression: compiled})
		rest = rest[start+2+end+1:]
	}
	return parts, nil
}

// expressionEnd finds the brace that closes an expression, minding braces and
// quotes within it; -1 when there is none.
func expressionEnd(text string) int {
	depth, quote := 0, byte(0)
	for i := 0; i < len(text); i++ {
		switch char := text[i]; {
		case quote != 0 && char == '\\':
			i++
		case quote != 0:
			if char == quote {
				quote = 0
			}
		case char == '"' || char == '\'':
			quote = char
		case char == '{':
			depth++
		case char == '}' && depth > 0:
			depth--
		case char == '}':
			return i
		}
	}
	return -1
}

// substitute replaces the expressions in every text below value.
func substitute(value any, variables map[string]any) (any, error) {
	switch typed := value.(type) {
	case string:
		return substituteText(typed, variables)
	case map[string]any:
		for key, inner := range typed {
			replaced, err := substitute(inner, variables)
			if err != nil {
				return nil, err
			}
			typed[key] = replaced
		}
	case []any:
		for i, inner := range typed {
			replaced, err := substitute(inner, variables)
			if err != nil {
				return nil, err
			}
			typed[i] = replaced
		}
	}
	return value, nil
}

func substituteText(text string, variables map[string]any) (string, error) {
	parts, err := parseTemplate(text)
	if err != nil || parts == nil {
		return text, err
	}
	var out strings.Builder
	for _, part := range parts {
		if part.expression == nil {
			out.WriteString(part.literal)
			continue
		}
		rendered, err := part.expression.render(variables)
		if err != nil {
			return "", fmt.Errorf("${%s}: %w", part.expression.text, err)
		}
		out.WriteString(rendered)
	}
	return out.String(), nil
}
