package fleet

// ResidencyPolicySpec is a set of rules about where classified data may be.
// Every rule that applies decides, and one that denies overrides all others.
type ResidencyPolicySpec struct {
	Version   string         `json:"version"`            // of this text, shown in every verdict; a new text needs a new one
	Title     string         `json:"title,omitempty"`    // "GDPR chapter V: transfers to third countries"
	Summary   string         `json:"summary,omitempty"`  // what it says, in plain words
	Effective Period         `json:"effective"`          // from is needed
	TimeZone  string         `json:"timeZone,omitempty"` // IANA name; where the policy's days begin and end; UTC when empty
	AppliesTo PolicySubjects `json:"appliesTo"`
	Rules     []Rule         `json:"rules"`

	NotCovered []string `json:"notCovered,omitempty"` // what the law also asks and no rule here expresses, in plain words
	Confidence string   `json:"confidence,omitempty"` // high, medium, low: how sure its authors are
	Sources    []Source `json:"sources,omitempty"`
}

// Period is a span of time. Each end is a date (2026-03-01) or an instant
// (RFC 3339). A date as From means from the beginning of that day, as Until
// through the end of it, in the time zone of the document. An instant as Until
// is the first one no longer covered. An absent end is open.
type Period struct {
	From  string `json:"from,omitempty"`
	Until string `json:"until,omitempty"`
}

// PolicySubjects says whose rules these are.
type PolicySubjects struct {
	Classes []string `json:"classes"` // data classes; each stands for the classes that inherit from it, too
}

// Source is a document a legal or technical statement rests on.
type Source struct {
	Title string `json:"title"`
	URL   string `json:"url,omitempty"`
	Date  string `json:"date,omitempty"` // of the document, or when it was read
	Note  string `json:"note,omitempty"`
}

// Rule is one rule of a policy. Exactly one of AllowOnly, RequireCopy,
// TransferIf, Operator and Obligation is set.
type Rule struct {
	Name    string   `json:"name"`
	Plain   string   `json:"plain,omitempty"`   // what it says, for people who do not read rules
	Facets  []Facet  `json:"facets"`            // which facets it is about
	Classes []string `json:"classes,omitempty"` // narrows the policy's classes
	// When is CEL over the documented facts (data, region, facet); absent means
	// always. While a fact it needs is unknown, the rule still forbids what it
	// would forbid, and permits nothing.
	When      string  `json:"when,omitempty"`
	Effective *Period `json:"effective,omitempty"` // within the policy's
	// MinimumSource is how well the facts must be known that this rule looks
	// at; a weaker fact is as good as unknown.
	MinimumSource FactSource `json:"minimumSource,omitempty"`

	AllowOnly   *Scope          `json:"allowOnly,omitempty"`   // every place must be in it
	RequireCopy *CopyRule       `json:"requireCopy,omitempty"` // one of all copies must be in it
	TransferIf  *TransferRule   `json:"transferIf,omitempty"`  // abroad only on a legal basis; rules of one policy are alternatives
	Operator    *OperatorRule   `json:"operator,omitempty"`    // who runs and controls the place
	Obligation  *ObligationRule `json:"obligation,omitempty"`  // never forbids: what has to be done besides

	Cites string `json:"cites,omitempty"` // article and law
}

// RuleKind names the kinds of rules, as in documents.
type RuleKind string

// The kinds of rules. A built-in rule is Meridian's own: see BuiltInPolicy.
const (
	RuleAllowOnly   RuleKind = "allowOnly"
	RuleRequireCopy RuleKind = "requireCopy"
	RuleTransferIf  RuleKind = "transferIf"
	RuleOperator    RuleKind = "operator"
	RuleObligation  RuleKind = "obligation"
	RuleBuiltIn     RuleKind = "built-in"
)

// RuleKinds lists the kinds a document's rule can have.
var RuleKinds = []RuleKind{RuleAllowOnly, RuleRequireCopy, RuleTransferIf, RuleOperator, RuleObligation}

// Kind of the rule: of the first part that is set, empty when none is.
func (r Rule) Kind() RuleKind {
	switch {
	case r.AllowOnly != nil:
		return RuleAllowOnly
	case r.RequireCopy != nil:
		return RuleRequireCopy
	case r.TransferIf != nil:
		return RuleTransferIf
	case r.Operator != nil:
		return RuleOperator
	case r.Obligation != nil:
		return RuleObligation
	}
	return ""
}

// Scope is a set of places: those that any of its lists names, or all of them,
// without those of Except.
type Scope struct {
	Anywhere   bool     `json:"anywhere,omitempty"`
	Groups     []string `json:"groups,omitempty"`     // jurisdiction groups
	Countries  []string `json:"countries,omitempty"`  // ISO 3166-1 alpha-2
	Regions    []string `json:"regions,omitempty"`    // PROVIDER/ID
	Providers  []string `json:"providers,omitempty"`  // aws, gcp, azure
	Partitions []string `json:"partitions,omitempty"` // aws-us-gov, AzureUSGovernment, …
	Except     *Scope   `json:"except,omitempty"`
}

// CopyRule asks that of all copies of a dataset, replicas and pairs counted,
// some are in a scope.
type CopyRule struct {
	In      Scope   `json:"in"`
	Copies  []Facet `json:"copies,omitempty"`  // facets that make a copy; storage, backup and replica when empty
	Minimum int     `json:"minimum,omitempty"` // how many copies; 1 when zero
}

// TransferRule permits data to leave home on a legal basis. Of a policy's
// transfer rules one that is satisfied is enough; none satisfied denies.
type TransferRule struct {
	Home  *Scope        `json:"home,omitempty"` // where the data is at home and needs no basis
	To    Scope         `json:"to"`             // where this basis leads
	Basis TransferBasis `json:"basis"`
	// Counterparties, when given, are who the dataset's instrument must be with.
	Counterparties []string `json:"counterparties,omitempty"`
}

// TransferBasis is a legal ground for a transfer.
type TransferBasis string

// The bases. Adequacy holds by the law alone; every other needs an instrument
// of that basis on the dataset, in force and covering the place.
const (
	BasisAdequacy      TransferBasis = "adequacy"
	BasisContract      TransferBasis = "standard-contractual-clauses"
	BasisBindingRules  TransferBasis = "binding-corporate-rules"
	BasisCertification TransferBasis = "certification"
	BasisConsent       TransferBasis = "consent"
	BasisAuthorisation TransferBasis = "authorisation" // of the authority, for this transfer
	BasisAssessment    TransferBasis = "assessment"    // a transfer or security assessment that was passed
	BasisDerogation    TransferBasis = "derogation"
)

// TransferBases lists the bases.
var TransferBases = []TransferBasis{
	BasisAdequacy, BasisContract, BasisBindingRules, BasisCertification, BasisConsent, BasisAuthorisation, BasisAssessment, BasisDerogation,
}

// OperatorRule is about who runs a place. Everything that is set must hold.
// Jurisdictions are ISO 3166-1 countries or names of groups.
type OperatorRule struct {
	NotControlledFrom  []string `json:"notControlledFrom,omitempty"`  // none of the operator's jurisdictions is here
	OnlyControlledFrom []string `json:"onlyControlledFrom,omitempty"` // all of them are here
	SupportedFrom      []string `json:"supportedFrom,omitempty"`      // the region fact supportedFrom names nothing else
	Partitions         []string `json:"partitions,omitempty"`         // one of these
	NotPartitions      []string `json:"notPartitions,omitempty"`      // none of these
	Operators          []string `json:"operators,omitempty"`          // one of these legal entities
	Certifications     []string `json:"certifications,omitempty"`     // the region fact certifications has all of these
}

// ObligationRule is something to be done where the data is allowed.
type ObligationRule struct {
	Action  ObligationAction `json:"action"`
	Within  string           `json:"within,omitempty"`  // "24 hours", "5 business days", "24 months"; days are of the policy's time zone
	To      string           `json:"to,omitempty"`      // who has to be told
	Text    string           `json:"text"`              // what to do, in plain words
	Inside  *Scope           `json:"inside,omitempty"`  // only for places in it
	Outside *Scope           `json:"outside,omitempty"` // only for places not in it
}

// ObligationAction is what an obligation asks for.
type ObligationAction string

// ObligationActions lists what an obligation can ask for.
var ObligationActions = []ObligationAction{"notify", "disclose", "delete", "retain", "assess", "record", "contract", "consent", "encrypt", "appoint"}

// JurisdictionGroupSpec is a set of countries that changes over time. What it
// says of the past counts: correct a mistake by correcting the dates.
type JurisdictionGroupSpec struct {
	Version string        `json:"version"`
	Title   string        `json:"title,omitempty"`
	Members []GroupMember `json:"members"`
	Sources []Source      `json:"sources,omitempty"`
}

// GroupMember is a country, or all of another group, for a time. From and
// Until are as in Period, in UTC.
type GroupMember struct {
	Country string `json:"country,omitempty"`
	Group   string `json:"group,omitempty"`
	From    string `json:"from,omitempty"`
	Until   string `json:"until,omitempty"`
	Cites   string `json:"cites,omitempty"`
	Note    string `json:"note,omitempty"` // limits of the decision, such as "commercial organisations only"
}

// DataClassSpec is a label for data with the same legal treatment. A class is
// also each class its dotted name begins with (personal.eu.health is
// personal.eu and personal), and those it inherits from.
type DataClassSpec struct {
	Title    string   `json:"title,omitempty"`
	Text     string   `json:"text,omitempty"` // what belongs into it
	Inherits []string `json:"inherits,omitempty"`
}
