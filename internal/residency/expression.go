package residency

import (
	"slices"
	"strings"
	"sync"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/interpreter"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// truth is the three-valued outcome of a condition.
type truth uint8

const (
	untrue truth = iota
	undecided
	surely
)

// expression is a condition that was parsed and checked.
type expression struct {
	text        string
	program     cel.Program
	dataFacts   []string // data.NAME, sorted
	regionFacts []string // region.NAME, sorted
	usesFacet   bool
	texts       []string // written in it
	numbers     []int64  // written in it
}

// evaluationLimit bounds the work of one condition; one that needs more is
// undecided. Conditions over documented facts need less than a thousandth.
const evaluationLimit = 1_000_000

// factTypes are the types of facts in CEL.
var factTypes = map[fleet.FactType]*cel.Type{
	fleet.FactText: cel.StringType, fleet.FactNumber: cel.IntType, fleet.FactTruth: cel.BoolType, fleet.FactTexts: cel.ListType(cel.StringType),
}

// identityFacts are what rules see of data besides its facts.
var identityFacts = []fleet.FactDefinition{{Name: "name", Type: fleet.FactText}, {Name: "classes", Type: fleet.FactTexts}}

// conditionFacts are the definitions of what conditions see, by prefix.
var conditionFacts = map[string][]fleet.FactDefinition{
	"data":   append(slices.Clone(identityFacts), fleet.DataFacts...),
	"region": append(slices.Clone(fleet.CatalogFacts), fleet.RegionFactNames...),
}

// environment is what conditions are checked against: each documented fact is
// a variable of its own, so that an unknown name is a fault.
var environment = sync.OnceValues(func() (*cel.Env, error) {
	options := []cel.EnvOption{cel.Variable("facet", cel.StringType), cel.CrossTypeNumericComparisons(true)}
	for prefix, definitions := range conditionFacts {
		for _, definition := range definitions {
			options = append(options, cel.Variable(prefix+"."+definition.Name, factTypes[definition.Type]))
		}
	}
	return cel.NewEnv(options...)
})

// expressions remembers conditions by their text: policies repeat them, and
// checking one takes longer than judging with it.
var expressions = struct {
	sync.Mutex
	byText map[string]*expression
}{byText: map[string]*expression{}}

const rememberedExpressions = 4096

// parseExpression parses and checks a condition, with its faults.
func parseExpression(text string) (*expression, []Problem) {
	expressions.Lock()
	found := expressions.byText[text]
	expressions.Unlock()
	if found != nil {
		return found, nil
	}
	parsed, faults := checkExpression(text)
	if len(faults) > 0 {
		return nil, faults
	}
	expressions.Lock()
	defer expressions.Unlock()
	if len(expressions.byText) >= rememberedExpressions {
		clear(expressions.byText)
	}
	expressions.byText[text] = parsed
	return parsed, nil
}

func checkExpression(text string) (*expression, []Problem) {
	env, err := environment()
	if err != nil {
		return nil, []Problem{{Message: err.Error()}}
	}
	parsed, issues := env.Parse(text)
	if issues.Err() != nil {
		return nil, celProblems(issues)
	}
	if faults := checkNames(parsed); len(faults) > 0 {
		return nil, faults
	}
	checked, issues := env.Check(parsed)
	if issues.Err() != nil {
		return nil, celProblems(issues)
	}
	if checked.OutputType() != cel.BoolType {
		return nil, []Problem{{Message: "the condition is no truth value but of type " + checked.OutputType().String(), Hint: `compare, like data.secrecy == "professional"`}}
	}
	program, err := env.Program(checked, cel.CostLimit(evaluationLimit))
	if err != nil {
		return nil, []Problem{{Message: "the condition cannot be used: " + err.Error()}}
	}
	result := &expression{text: text, program: program}
	result.findFacts(checked)
	return result, nil
}

func celProblems(issues *cel.Issues) []Problem {
	var faults []Problem
	for _, issue := range issues.Errors() {
		message, _, _ := strings.Cut(issue.Message, "\n")
		faults = append(faults, Problem{Message: "not a condition: " + message, Hint: adviseName(message)})
	}
	return faults
}

// findFacts notes which facts the condition looks at.
func (e *expression) findFacts(checked *cel.Ast) {
	for _, reference := range checked.NativeRep().ReferenceMap() {
		switch name := reference.Name; {
		case name == "facet":
			e.usesFacet = true
		case strings.HasPrefix(name, "data.") && !slices.Contains(e.dataFacts, name):
			e.dataFacts = append(e.dataFacts, name)
		case strings.HasPrefix(name, "region.") && !slices.Contains(e.regionFacts, name):
			e.regionFacts = append(e.regionFacts, name)
		}
	}
	slices.Sort(e.dataFacts)
	slices.Sort(e.regionFacts)
	e.texts, e.numbers = literals(checked)
}

// situation is what a condition is evaluated in. A fact that is in neither
// map, or known less well than minimum, is unknown.
type situation struct {
	facet        fleet.Facet
	data, region map[string]knownFact
	minimum      fleet.FactSource
}

var unknownFact = types.NewUnknown(0, nil)

// ResolveName finds a variable for the evaluation.
func (s *situation) ResolveName(name string) (any, bool) {
	known := s.data
	switch {
	case name == "facet":
		return types.String(s.facet), true
	case strings.HasPrefix(name, "region."):
		known = s.region
	case !strings.HasPrefix(name, "data."):
		return nil, false
	}
	if fact, ok := known[name]; ok && fact.source.AtLeast(s.minimum) {
		return fact.value, true
	}
	return unknownFact, true
}

// Parent of the activation; there is none.
func (s *situation) Parent() interpreter.Activation { return nil }

// decide evaluates the condition. Unknown facts make it undecided only where
// the outcome depends on them; so does a failure, such as a division by zero.
func (e *expression) decide(in *situation) truth {
	if e == nil {
		return surely
	}
	value, _, err := e.program.Eval(in)
	if err != nil {
		return undecided
	}
	switch value {
	case types.True:
		return surely
	case types.False:
		return untrue
	}
	return undecided
}
