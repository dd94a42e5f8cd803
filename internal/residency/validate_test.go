package residency_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/residency"
)

// decode reads a spec written in YAML.
func decode[Spec any](t testing.TB, text string) Spec {
	t.Helper()
	var loose any
	if err := yaml.Unmarshal([]byte(text), &loose); err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(loose)
	if err != nil {
		t.Fatal(err)
	}
	var spec Spec
	if err := json.Unmarshal(raw, &spec); err != nil {
		t.Fatal(err)
	}
	return spec
}

func checkProblems(t *testing.T, found []residency.Problem, want ...string) {
	t.Helper()
	var lines []string
	for _, problem := range found {
		lines = append(lines, problem.String())
	}
	if !slices.Equal(lines, want) {
		t.Errorf("found\n  %s\nwant\n  %s", strings.Join(lines, "\n  "), strings.Join(want, "\n  "))
	}
}

const goodRule = `{name: r, facets: [storage], allowOnly: {countries: [DE]}}`

func policySpec(t testing.TB, rules string) fleet.ResidencyPolicySpec {
	return decode[fleet.ResidencyPolicySpec](t, `{version: "1", effective: {from: "2026-01-01"}, appliesTo: {classes: [p]}, rules: [`+rules+`]}`)
}

func TestValidateRule(t *testing.T) {
	t.Parallel()
	for rule, want := range map[string][]string{
		goodRule: nil,
		`{name: r, facets: [storage], allowOnly: {countries: [UK]}}`: {
			`spec.rules[0].allowOnly.countries[0]: "UK" is no ISO 3166-1 country (did you mean GB?)`},
		`{name: r, facets: [storage], allowOnly: {countries: [DE, de]}}`: {
			`spec.rules[0].allowOnly.countries[1]: "de" is no ISO 3166-1 country (did you mean DE?)`},
		`{name: r, facets: [storage], allowOnly: {countries: [Germany]}}`: {
			`spec.rules[0].allowOnly.countries[0]: "Germany" is no ISO 3166-1 country (did you mean DE?)`},
		`{name: r, facets: [storage], allowOnly: {countries: [EU]}}`: {
			`spec.rules[0].allowOnly.countries[0]: "EU" is no ISO 3166-1 country (two letters, such as DE; a group of countries is listed under groups)`},
		`{name: r, facets: [storage], allowOnly: {}}`: {
			`spec.rules[0].allowOnly: names no place (list groups, countries, regions, providers or partitions, or write anywhere: true)`},
		`{name: r, facets: [storage], allowOnly: {anywhere: true, except: {regions: [eu-central-1]}}}`: {
			`spec.rules[0].allowOnly.except.regions[0]: "eu-central-1" is no place (PROVIDER/ID like aws/eu-central-1, or country/XX)`},
		`{name: r, facets: [storage], allowOnly: {regions: [country/XX]}}`: {
			`spec.rules[0].allowOnly.regions[0]: "XX" is no ISO 3166-1 country (two letters, such as DE; a group of countries is listed under groups)`},
		`{name: r, facets: [storge], allowOnly: {countries: [DE]}}`: {
			`spec.rules[0].facets[0]: "storge" is no facet (did you mean "storage"?)`},
		`{name: r, facets: [storage, storage], allowOnly: {countries: [DE]}}`: {
			`spec.rules[0].facets[1]: "storage" is listed twice`},
		`{name: r, allowOnly: {countries: [DE]}}`: {
			`spec.rules[0].facets: is missing (one or more of storage, processing, key, access, backup, replica, telemetry, metadata, transit)`},
		`{name: a rule, facets: [key], allowOnly: {countries: [DE]}}`: {
			`spec.rules[0].name: "a rule" is no name of a rule (letters, digits, dots and hyphens, like stays-in-eea)`},
		`{name: r, facets: [storage]}`: {
			`spec.rules[0]: says 0 things (exactly one of allowOnly, requireCopy, transferIf, operator, obligation)`},
		`{name: r, facets: [storage], allowOnly: {countries: [DE]}, requireCopy: {in: {countries: [DE]}, minimum: -1, copies: [any]}}`: {
			`spec.rules[0]: says 2 things: allowOnly, requireCopy (exactly one of allowOnly, requireCopy, transferIf, operator, obligation)`,
			`spec.rules[0].requireCopy.copies[0]: "any" is no facet (one of storage, processing, key, access, backup, replica, telemetry, metadata, transit)`,
			`spec.rules[0].requireCopy.minimum: -1 is negative (how many different places need a copy)`},
		`{name: r, facets: [storage], transferIf: {to: {anywhere: true}, basis: adequate}}`: {
			`spec.rules[0].transferIf.basis: "adequate" is no legal basis (did you mean "adequacy"?)`},
		`{name: r, facets: [storage], transferIf: {to: {anywhere: true}, basis: adequacy, counterparties: [x]}}`: {
			`spec.rules[0].transferIf.counterparties: adequacy holds by the law alone, without a counterparty (leave it out, or choose another basis)`},
		`{name: r, facets: [storage], operator: {notControlledFrom: [us]}}`: {
			`spec.rules[0].operator.notControlledFrom[0]: "us" is no ISO 3166-1 country (did you mean US?)`},
		`{name: r, facets: [storage], operator: {}}`: {
			`spec.rules[0].operator: says nothing (say what must hold of the operator)`},
		`{name: r, facets: [storage], obligation: {action: tell, within: 5 fortnights}}`: {
			`spec.rules[0].obligation.action: "tell" is no action (one of notify, disclose, delete, retain, assess, record, contract, consent, encrypt, appoint)`,
			`spec.rules[0].obligation.text: is missing`,
			`spec.rules[0].obligation.within: "5 fortnights" is no time limit (the unit is one of minutes, hours, days, business days, weeks, months, years)`},
		`{name: r, facets: [storage], minimumSource: atested, allowOnly: {countries: [DE]}}`: {
			`spec.rules[0].minimumSource: "atested" is no source of a fact (did you mean "attested"?)`},
		`{name: r, facets: [storage], effective: {from: "2026-02-29"}, allowOnly: {countries: [DE]}}`: {
			`spec.rules[0].effective.from: "2026-02-29" is not a date (write a day that exists like 2026-03-01, or an instant like 2026-03-01T15:04:05+01:00)`},
		`{name: r, facets: [storage], effective: {from: "2026-03-02", until: "2026-03-01"}, allowOnly: {countries: [DE]}}`: {
			`spec.rules[0].effective.until: ends before it begins (2026-03-02)`},
		goodRule + ", " + goodRule: {
			`spec.rules[1].name: "r" is the name of a rule before (exceptions and verdicts name rules: give each its own name)`},
	} {
		checkProblems(t, residency.ValidatePolicy(policySpec(t, rule)), want...)
	}
}

func TestValidateConditions(t *testing.T) {
	t.Parallel()
	for when, want := range map[string]string{
		`data.secrecy == "professional" && region.provider in ["aws", "gcp"]`: "",
		`data.subjects > 100000 || data.citizens.exists(c, c == "RU")`:        "",
		`data.citizens.exists(country, country == region.country)`:            "",
		`"personal.eu" in data.classes && facet != "key"`:                     "",
		`data.secrcy == "none"`:                                  `there is no fact data.secrcy (did you mean "secrecy"?)`,
		`data.country == "DE"`:                                   `there is no fact data.country (did you mean region.country?)`,
		`region.jurisdiction == "US"`:                            `there is no fact region.jurisdiction (did you mean "jurisdictions"?)`,
		`secrecy == "none"`:                                      `not a condition: undeclared reference to 'secrecy' (in container '') (did you mean data.secrecy?)`,
		`data.secrecy == "profesional"`:                          `data.secrecy is never "profesional" (did you mean "professional"?)`,
		`data.secrecy in ["none", "secret"]`:                     `data.secrecy is never "secret" (one of none, professional, banking, state, trade)`,
		`facet == "storag"`:                                      `facet is never "storag" (did you mean "storage"?)`,
		`region.country == "UK"`:                                 `region.country is never "UK" (did you mean GB?)`,
		`has(data.secrecy)`:                                      "has() cannot ask whether a fact is known (leave it out: an unknown fact never helps, and the rule still forbids)",
		`data.subjects`:                                          `the condition is no truth value but of type int (compare, like data.secrecy == "professional")`,
		`data.subjects == "many"`:                                `not a condition: found no matching overload for '_==_' applied to '(int, string)'`,
		`data.sensitive &&`:                                      `not a condition: Syntax error: mismatched input '<EOF>'`,
		`datum.secrecy == "none"`:                                `not a condition: undeclared reference to 'datum' (in container '') (did you mean "data"?)`,
		`timestamp("2026-01-01T00:00:00Z") > now`:                `not a condition: undeclared reference to 'now' (in container '') (one of data, region, facet)`,
		`data.retentionMonths / 12 > 2 ? data.minors : facet[0]`: `not a condition: found no matching overload for '_[_]' applied to '(string, int)'`,
	} {
		spec := policySpec(t, goodRule)
		spec.Rules[0].When = when
		found := residency.ValidatePolicy(spec)
		switch {
		case want == "" && len(found) > 0:
			t.Errorf("%s: %v", when, found)
		case want != "" && (len(found) != 1 || !strings.HasPrefix(found[0].String(), "spec.rules[0].when: "+want)):
			t.Errorf("%s: found\n  %v\nwant\n  %s", when, found, want)
		}
	}
}

func TestValidatePolicyHead(t *testing.T) {
	t.Parallel()
	spec := decode[fleet.ResidencyPolicySpec](t, `{timeZone: Europe/Berln, effective: {until: "2026-13-01"}, appliesTo: {classes: [Personal, p, p]}, confidence: hihg, sources: [{url: x}]}`)
	checkProblems(t, residency.ValidatePolicy(spec),
		`spec.version: is missing (verdicts name the version they rest on)`,
		`spec.timeZone: "Europe/Berln" is not the name of a time zone (write an IANA name like Europe/Berlin)`,
		`spec.effective.from: is missing (say since when it is law)`,
		`spec.effective.until: "2026-13-01" is not a date (write a day that exists like 2026-03-01, or an instant like 2026-03-01T15:04:05+01:00)`,
		`spec.appliesTo.classes[0]: "Personal" is no name of a data class (small letters, digits and hyphens, parted by dots, like personal.eu)`,
		`spec.appliesTo.classes[2]: "p" is listed twice`,
		`spec.confidence: "hihg" is no level of confidence (did you mean "high"?)`,
		`spec.sources[0].title: is missing`,
		`spec.rules: has no rules`,
	)
}

func TestValidateOthers(t *testing.T) {
	t.Parallel()
	checkProblems(t, residency.ValidateGroup(decode[fleet.JurisdictionGroupSpec](t, `{version: "1", members: [{country: EL}, {}, {country: DE, group: B}, {group: C, from: "2024-02-30"}]}`)),
		`spec.members[0].country: "EL" is no ISO 3166-1 country (did you mean GR?)`,
		`spec.members[1]: names nobody (give country or group)`,
		`spec.members[2]: names both a country and a group (make two members of them)`,
		`spec.members[3].from: "2024-02-30" is not a date (write a day that exists like 2026-03-01, or an instant like 2026-03-01T15:04:05+01:00)`)
	checkProblems(t, residency.ValidateClass(decode[fleet.DataClassSpec](t, `{inherits: [p, p, "p..q"]}`)),
		`spec.inherits[1]: "p" is listed twice`,
		`spec.inherits[2]: "p..q" is no name of a data class (small letters, digits and hyphens, parted by dots, like personal.eu)`)
	checkProblems(t, residency.ValidateDataset(decode[fleet.DatasetSpec](t, `{classes: [p], since: yesterday,
		facts: {secrecy: {value: private}, subjects: {value: 1.5}, citizens: {value: [DE, XX], source: guessed}, sensitve: {value: true}, minors: {value: "yes"}},
		bindings: [{name: a, facets: [storage], region: eu-central-1}, {name: a, facets: [], region: aws/x, pair: aws/y}],
		instruments: [{name: scc, basis: adequacy}, {basis: consent, to: {countries: [XX]}, until: soon}]}`)),
		`spec.facts.citizens.source: "guessed" is no source of a fact (one of declared, observed, attested)`,
		`spec.facts.citizens.value: "XX" is no ISO 3166-1 country (ISO 3166-1 codes like DE)`,
		`spec.facts.minors.value: "yes" is no truth value`,
		`spec.facts.secrecy.value: "private" is no value of secrecy (one of none, professional, banking, state, trade)`,
		`spec.facts.sensitve: there is no fact "sensitve" (did you mean "sensitive"?)`,
		`spec.facts.subjects.value: 1.5 is no whole number`,
		`spec.bindings[0].region: "eu-central-1" is no place (PROVIDER/ID like aws/eu-central-1, or country/XX)`,
		`spec.bindings[1].name: "a" is the name of a binding before`,
		`spec.bindings[1].facets: is missing (one or more of storage, processing, key, access, backup, replica, telemetry, metadata, transit)`,
		`spec.bindings[1].pair: only geo-redundant stores have a pair (add geoRedundant: true, or leave the pair out)`,
		`spec.instruments[0].basis: adequacy holds by the law alone and needs no instrument (leave the instrument out)`,
		`spec.instruments[1].name: is missing`,
		`spec.instruments[1].to.countries[0]: "XX" is no ISO 3166-1 country (two letters, such as DE; a group of countries is listed under groups)`,
		`spec.instruments[1].until: "soon" is not a date (write a day that exists like 2026-03-01, or an instant like 2026-03-01T15:04:05+01:00)`,
		`spec.since: "yesterday" is not a date (write a day that exists like 2026-03-01, or an instant like 2026-03-01T15:04:05+01:00)`)
	checkProblems(t, residency.ValidateWorkload(decode[fleet.WorkloadSpec](t, `{datasets: [{dataset: d}, {dataset: d, facets: [keys]}], classes: [{facets: [key]}], regions: [country/UK]}`)),
		`spec.datasets[1].dataset: "d" is named before (name it once, with all facets)`,
		`spec.datasets[1].facets[0]: "keys" is no facet (did you mean "key"?)`,
		`spec.classes[0].classes: is missing (name data classes)`,
		`spec.regions[0]: "UK" is no ISO 3166-1 country (did you mean GB?)`)
	checkProblems(t, residency.ValidateException(decode[fleet.ExceptionSpec](t, `{policy: meridian, rule: no-rule, subject: {kind: Cluster, name: c}, facets: [key], scope: {}, from: "2026-02-01"}`)),
		`spec.policy: Meridian's own rules cannot be suspended (declare the class, the dataset or a rule instead)`,
		`spec.subject.kind: "Cluster" can have no exception (one of Dataset, Workload)`,
		`spec.scope: names no place (list groups, countries, regions, providers or partitions, or write anywhere: true)`,
		`spec.until: is missing (every exception ends)`,
		`spec.reason: is missing (say why the risk is taken)`)
	checkProblems(t, residency.ValidateRegionFacts(map[string]fleet.DataFact{"certification": {Value: json.RawMessage(`["C5"]`)}, "supportedFrom": {Value: json.RawMessage(`["Germany"]`)}}),
		`spec.facts.certification: there is no fact "certification" (did you mean "certifications"?)`,
		`spec.facts.supportedFrom.value: "Germany" is no ISO 3166-1 country (ISO 3166-1 codes like DE)`)
}

func TestNewRulebookFaults(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		`[{kind: DataClass, name: a, spec: {inherits: [b]}}, {kind: DataClass, name: b, spec: {inherits: [c]}}, {kind: DataClass, name: c, spec: {inherits: [a]}}]`: {
			"DataClass a: spec.inherits: it inherits from itself: a → b → c → a"},
		`[{kind: DataClass, name: a, spec: {inherits: [a.b]}}, {kind: DataClass, name: a.b}]`: {
			"DataClass a: spec.inherits: it inherits from itself: a → a.b → a"},
		`[{kind: JurisdictionGroup, name: A, spec: {version: "1", members: [{group: B}]}}, {kind: JurisdictionGroup, name: B, spec: {version: "1", members: [{country: DE}, {group: A, from: "2030-01-01"}]}}]`: {
			"JurisdictionGroup A: spec.members: it is a member of itself: A → B → A"},
		`[{kind: ResidencyPolicy, name: meridian, spec: {version: "1", effective: {from: "2026-01-01"}, appliesTo: {classes: [p]}, rules: [` + goodRule + `]}}]`: {
			`ResidencyPolicy meridian: metadata.name: "meridian" are Meridian's own rules (choose another name)`},
		`[{kind: ResidencyPolicy, name: a, spec: {rules: 7}}]`: {"ResidencyPolicy a: spec: decode"},
		`[{kind: JurisdictionGroup, name: G, spec: {members: [{country: XX}]}}, {kind: DataClass, name: x, spec: {inherits: [""]}}]`: {
			"JurisdictionGroup G: spec.version: is missing", "JurisdictionGroup G: spec.members[0].country:", "DataClass x: spec.inherits[0]:"},
	} {
		_, err := residency.NewRulebook(documents(t, text))
		if err == nil {
			t.Errorf("%s: no fault", text)
			continue
		}
		if fleet.KindOf(err) != fleet.ErrInvalid {
			t.Errorf("%s: %v is not invalid", text, err)
		}
		for _, part := range want {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%s: found\n  %v\nwant\n  %s", text, err, part)
			}
		}
	}
}
