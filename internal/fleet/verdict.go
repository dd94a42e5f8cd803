package fleet

import "time"

// BuiltInPolicy is the policy name of Meridian's own rules, those that make an
// answer fail closed. They cannot be suspended.
const BuiltInPolicy = "meridian"

// The built-in rules.
const (
	RuleUnknownRegion   = "unknown-region"   // no catalog has the place
	RuleUnknownPair     = "unknown-pair"     // a geo-redundant store whose second place is not known
	RuleUnknownClass    = "unknown-class"    // a class nobody declared
	RuleUnknownDataset  = "unknown-dataset"  // a dataset nobody declared
	RuleUnknownWorkload = "unknown-workload" // a workload nobody declared
	RuleUnclassified    = "unclassified"     // data without any class
	RuleNoRule          = "no-rule"          // no rule in force speaks about the class and facet
	RuleUnknownFact     = "unknown-fact"     // a rule's condition looks at a fact nobody knows, and nothing else permits
	RuleBadDocument     = "bad-document"     // a document the answer depends on cannot be read
)

// Question asks whether something may be done to data at a place.
type Question struct {
	// Subject is a Dataset or a Workload; with Classes instead it is any data of
	// these classes.
	Subject Ref      `json:"subject,omitzero"`
	Classes []string `json:"classes,omitempty"`
	Facet   Facet    `json:"facet,omitempty"`  // of a Workload: empty means all that it does
	Region  string   `json:"region,omitempty"` // PROVIDER/ID or country/XX
	// GeoRedundant asks for the region and its replica pair (or Pair).
	GeoRedundant bool       `json:"geoRedundant,omitempty"`
	Pair         string     `json:"pair,omitempty"`
	Source       FactSource `json:"source,omitempty"`   // how the place is known; empty: it is hypothetical, and no rule asks how
	Leaving      []string   `json:"leaving,omitempty"`  // regions whose copies would be gone after the act
	At           time.Time  `json:"at"`                 // what was law and fact then
	KnownAt      *time.Time `json:"knownAt,omitempty"`  // what was recorded by then; absent: all there is
	Existing     bool       `json:"existing,omitempty"` // it is about a place that is recorded already
}

// Verdict answers a question. Unknown is never allowed.
type Verdict struct {
	Question
	Allowed bool `json:"allowed"`
	// Findings are the rules that decided. Of a denial: every rule that denies,
	// and those an exception suspends. Otherwise: every rule that permits.
	Findings     []Finding       `json:"findings"`
	Obligations  []DueObligation `json:"obligations,omitempty"`
	Exceptions   []UsedException `json:"exceptions,omitempty"` // all that touched it
	Alternatives []Alternative   `json:"alternatives,omitempty"`
}

// Effect is what a rule does to a question.
type Effect string

// The effects.
const (
	EffectAllows    Effect = "allows"
	EffectDenies    Effect = "denies"
	EffectSuspended Effect = "suspended" // denies, but an exception takes that back
)

// Finding is one rule's part in a verdict.
type Finding struct {
	Policy    string     `json:"policy"`
	Version   string     `json:"version,omitempty"`
	Rule      string     `json:"rule"`
	Kind      RuleKind   `json:"kind"`
	Effect    Effect     `json:"effect"`
	Class     string     `json:"class,omitempty"` // the data's class through which it applies
	Dataset   string     `json:"dataset,omitempty"`
	Facet     Facet      `json:"facet,omitempty"`
	Region    string     `json:"region,omitempty"` // the place it looked at; of a geo-redundant store possibly the pair
	Reason    string     `json:"reason"`           // a sentence for people
	Cites     string     `json:"cites,omitempty"`
	Facts     []UsedFact `json:"facts,omitempty"`
	Exception string     `json:"exception,omitempty"`
}

// ID of the finding's rule: POLICY/RULE.
func (f Finding) ID() string { return f.Policy + "/" + f.Rule }

// UsedFact is a fact a rule looked at.
type UsedFact struct {
	Name      string     `json:"name"`            // region.country, data.secrecy, instrument, …
	Value     string     `json:"value,omitempty"` // empty: unknown
	Source    FactSource `json:"source,omitempty"`
	Reference string     `json:"reference,omitempty"` // where it comes from: the catalog, a group and its version, a paper
}

// DueObligation is what has to be done although, or because, it is allowed.
type DueObligation struct {
	Policy  string           `json:"policy"`
	Version string           `json:"version,omitempty"`
	Rule    string           `json:"rule"`
	Action  ObligationAction `json:"action"`
	Text    string           `json:"text"`
	Within  string           `json:"within,omitempty"`
	Due     *time.Time       `json:"due,omitempty"` // when counted from the question's instant
	To      string           `json:"to,omitempty"`
	Cites   string           `json:"cites,omitempty"`
	Dataset string           `json:"dataset,omitempty"`
	Unsure  bool             `json:"unsure,omitempty"` // its condition looks at an unknown fact
}

// UsedException is an exception that suspended a denial.
type UsedException struct {
	Name  string `json:"name"`
	Rule  string `json:"rule"` // POLICY/RULE
	Until string `json:"until"`
	By    string `json:"by,omitempty"` // who approved, comma-separated
}

// AlternativeKind is the kind of change that would make an answer a yes.
type AlternativeKind string

// The kinds of alternatives, the smallest change first.
const (
	AlternativeNoPair     AlternativeKind = "no-pair"    // without geo-redundancy
	AlternativeFact       AlternativeKind = "fact"       // learn or attest a fact
	AlternativeInstrument AlternativeKind = "instrument" // conclude a legal instrument
	AlternativeCopy       AlternativeKind = "copy"       // have a copy elsewhere first
	AlternativeMove       AlternativeKind = "move"       // in another region
	AlternativeException  AlternativeKind = "exception"  // have exceptions approved
)

// Alternative is a smallest change after which the question would be allowed.
type Alternative struct {
	Kind    AlternativeKind `json:"kind"`
	Text    string          `json:"text"`              // "allowed in: …", "allowed if the key moves to …"
	Regions []string        `json:"regions,omitempty"` // nearest first
	Rules   []string        `json:"rules,omitempty"`   // POLICY/RULE it answers
}

// WarningKind is what is suspicious about a set of policies.
type WarningKind string

// The kinds of warnings.
const (
	WarningContradiction WarningKind = "contradiction" // rules that together leave nothing
	WarningDeniesAll     WarningKind = "denies-everything"
	WarningAllowsAll     WarningKind = "allows-everything"
	WarningUnlawful      WarningKind = "unlawful"  // places there are that a change would make unlawful
	WarningException     WarningKind = "exception" // an approved exception that a change gives another meaning
	WarningUnused        WarningKind = "unused"    // a rule or group that can never matter
	WarningStyle         WarningKind = "style"     // a rule without citation, a policy that says nothing of what it leaves out
)

// PolicyWarning is something suspicious, with a witness where there is one.
type PolicyWarning struct {
	Kind    WarningKind `json:"kind"`
	Message string      `json:"message"`
	Rules   []string    `json:"rules,omitempty"` // POLICY/RULE
	Witness *Question   `json:"witness,omitempty"`
}

// Act is something a workflow or the API is about to do.
type Act struct {
	Kind      string     `json:"kind"`                // place, onboard, apply-baseline, migrate
	Operation string     `json:"operation,omitempty"` // rollout, onboarding or request it belongs to
	Actor     string     `json:"actor"`
	Region    string     `json:"region,omitempty"`
	Cluster   string     `json:"cluster,omitempty"`
	Baseline  string     `json:"baseline,omitempty"`
	Questions []Question `json:"questions,omitempty"` // what it does to data
}

// DecisionSpec is a verdict that led to an act, or kept one from happening.
type DecisionSpec struct {
	Act      Act       `json:"act"`
	Allowed  bool      `json:"allowed"`
	Verdicts []Verdict `json:"verdicts"` // none: nothing classified was concerned
	At       time.Time `json:"at"`
}
