package baseline

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
	"sync"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/ext"
)

// expressionCost bounds one evaluation, so that an expression cannot hold up a
// rollout.
const expressionCost = 1_000_000

// factsEnvironment declares what `when`, `match` and substitutions may use.
var factsEnvironment = sync.OnceValues(func() (*cel.Env, error) {
	return cel.NewEnv(ext.Strings(), ext.Lists(), ext.Sets(), cel.OptionalTypes(),
		cel.Variable("provider", cel.StringType),
		cel.Variable("region", cel.MapType(cel.StringType, cel.DynType)),
		cel.Variable("cluster", cel.MapType(cel.StringType, cel.DynType)))
})

// objectEnvironment declares what a ready check may use.
var objectEnvironment = sync.OnceValues(func() (*cel.Env, error) {
	return cel.NewEnv(ext.Strings(), ext.Lists(), ext.Sets(), cel.OptionalTypes(), cel.Variable("object", cel.DynType))
})

// expression is a compiled CEL expression.
type expression struct {
	text    string
	program cel.Program
}

// expressionError is a compilation fault at an offset within the expression.
type expressionError struct {
	line, column int // within the text, from 1; zero when unknown
	message      string
}

func (e *expressionError) Error() string { return e.message }

// compileCondition compiles an expression that must give true or false.
func compileCondition(environment func() (*cel.Env, error), text string) (*expression, error) {
	compiled, output, err := compileExpression(environment, text)
	if err != nil {
		return nil, err
	}
	if !output.IsExactType(cel.BoolType) && !output.IsExactType(cel.DynType) {
		return nil, &expressionError{message: fmt.Sprintf("want true or false, but it gives %s", output)}
	}
	return compiled, nil
}

func compileExpression(environment func() (*cel.Env, error), text string) (*expression, *cel.Type, error) {
	env, err := environment()
	if err != nil {
		return nil, nil, err
	}
	ast, issues := env.Compile(text)
	if issues != nil && len(issues.Errors()) > 0 {
		first := issues.Errors()[0]
		return nil, nil, &expressionError{line: first.Location.Line(), column: first.Location.Column() + 1, message: plainIssue(first.Message)}
	}
	program, err := env.Program(ast, cel.CostLimit(expressionCost))
	if err != nil {
		return nil, nil, &expressionError{message: err.Error()}
	}
	return &expression{text: text, program: program}, ast.OutputType(), nil
}

// plainIssue leaves out of a compiler's message what helps nobody.
func plainIssue(message string) string {
	message, _, _ = strings.Cut(message, " expecting {")
	return strings.TrimSuffix(message, " (in container '')")
}

// holds evaluates a condition.
func (e *expression) holds(variables map[string]any) (bool, error) {
	value, err := e.evaluate(variables)
	if err != nil {
		return false, err
	}
	decided, ok := value.Value().(bool)
	if !ok {
		return false, fmt.Errorf("want true or false, but it gives %s", value.Type().TypeName())
	}
	return decided, nil
}

// render evaluates an expression to the text it stands for in an object.
func (e *expression) render(variables map[string]any) (string, error) {
	value, err := e.evaluate(variables)
	if err != nil {
		return "", err
	}
	return renderValue(value)
}

func (e *expression) evaluate(variables map[string]any) (ref.Val, error) {
	value, _, err := e.program.Eval(variables)
	if err != nil {
		return nil, errors.New(strings.TrimPrefix(err.Error(), "evaluation error: "))
	}
	return value, nil
}

// renderValue writes scalars plainly and lists of scalars joined by commas.
func renderValue(value ref.Val) (string, error) {
	switch typed := value.(type) {
	case types.String, types.Int, types.Uint, types.Bool, types.Double:
		return fmt.Sprint(typed.Value()), nil
	}
	native, err := value.ConvertToNative(reflect.TypeFor[[]string]())
	if err != nil {
		return "", fmt.Errorf("want a text, number, true or false, or a list of texts, but it gives %s", value.Type().TypeName())
	}
	return strings.Join(native.([]string), ","), nil
}

// normalizeFacts makes whole floating-point numbers, which is what JSON gives,
// integers, so that they print and compare as people expect.
func normalizeFacts(value any) any {
	switch typed := value.(type) {
	case float64:
		if typed == math.Trunc(typed) && math.Abs(typed) < 1<<53 {
			return int64(typed)
		}
	case int:
		return int64(typed)
	case map[string]any:
		out := make(map[string]any, len(typed))
		for key, inner := range typed {
			out[key] = normalizeFacts(inner)
		}
		return out
	case []any:
		out := make([]any, len(typed))
		for i, inner := range typed {
			out[i] = normalizeFacts(inner)
		}
		return out
	}
	return value
}
