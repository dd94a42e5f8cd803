package enforce_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/residency"
	"github.com/meridian-fleet/meridian/internal/residency/enforce"
)

// controlPolicy is a service control policy as AWS documents its grammar.
type controlPolicy struct {
	Version   string
	Statement []struct {
		Sid               string
		Effect            string
		Action, NotAction []string
		Resource          string
		Condition         map[string]map[string]json.RawMessage
	}
}

var (
	sidGrammar    = regexp.MustCompile(`^[A-Za-z0-9]+$`)
	actionGrammar = regexp.MustCompile(`^[a-z0-9-]+:([A-Za-z0-9]+\*?|\*)$`)
	keyGrammar    = regexp.MustCompile(`^(aws|s3|kms|account|backup|secretsmanager):[A-Za-z]+$`)
	operators     = []string{
		"StringNotEquals", "StringNotEqualsIfExists", "ForAnyValue:StringNotEquals", "ForAnyValue:ArnNotLike",
		"ArnNotLike", "DateGreaterThanEquals", "Null",
	}
)

// checkControlPolicies wants files that AWS takes: strict grammar, size, number.
func checkControlPolicies(t *testing.T, files []enforce.File) []controlPolicy {
	t.Helper()
	if len(files) == 0 || len(files) > 4 {
		t.Fatalf("%d policies: at most five fit, one of which allows", len(files))
	}
	var policies []controlPolicy
	sids := map[string]bool{}
	for _, file := range files {
		var policy controlPolicy
		decoder := json.NewDecoder(bytes.NewReader(file.Content))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&policy); err != nil {
			t.Fatalf("%s: %v", file.Path, err)
		}
		var small bytes.Buffer
		if err := json.Compact(&small, file.Content); err != nil || !bytes.Equal(small.Bytes(), file.Content) {
			t.Errorf("%s is not minified (%v)", file.Path, err)
		}
		if len(file.Content) > 5120 || policy.Version != "2012-10-17" || len(policy.Statement) == 0 {
			t.Errorf("%s: %d bytes, version %s, %d statements", file.Path, len(file.Content), policy.Version, len(policy.Statement))
		}
		for _, statement := range policy.Statement {
			if !sidGrammar.MatchString(statement.Sid) || sids[statement.Sid] || statement.Effect != "Deny" || statement.Resource != "*" {
				t.Errorf("%s: statement %q %s %s", file.Path, statement.Sid, statement.Effect, statement.Resource)
			}
			sids[statement.Sid] = true
			if (statement.Action == nil) == (statement.NotAction == nil) {
				t.Errorf("%s: want Action or NotAction", statement.Sid)
			}
			for _, action := range append(statement.Action, statement.NotAction...) {
				if !actionGrammar.MatchString(action) {
					t.Errorf("%s: action %q", statement.Sid, action)
				}
			}
			for operator, keys := range statement.Condition {
				if !slices.Contains(operators, operator) {
					t.Errorf("%s: operator %q", statement.Sid, operator)
				}
				for key := range keys {
					if !keyGrammar.MatchString(key) {
						t.Errorf("%s: key %q", statement.Sid, key)
					}
				}
			}
		}
		policies = append(policies, policy)
	}
	return policies
}

// request is one call as AWS evaluates it.
type request struct {
	action    string
	keys      map[string][]string
	principal string
	at        time.Time
}

// denied evaluates policies as AWS documents it.
func denied(t *testing.T, policies []controlPolicy, r request) bool {
	t.Helper()
	for _, policy := range policies {
		for _, statement := range policy.Statement {
			named := slices.ContainsFunc(append(slices.Clone(statement.Action), statement.NotAction...), func(pattern string) bool {
				ok, err := path.Match(pattern, r.action)
				return ok && err == nil
			})
			if named == (statement.NotAction != nil) {
				continue
			}
			holds := true
			for operator, keys := range statement.Condition {
				for key, raw := range keys {
					holds = holds && condition(t, operator, key, raw, r)
				}
			}
			if holds {
				return true
			}
		}
	}
	return false
}

func condition(t *testing.T, operator, key string, raw json.RawMessage, r request) bool {
	t.Helper()
	var wanted []string
	if json.Unmarshal(raw, &wanted) != nil {
		wanted = []string{strings.Trim(string(raw), `"`)}
	}
	given := r.keys[key]
	switch key {
	case "aws:PrincipalArn":
		given = []string{r.principal}
	case "aws:CurrentTime":
		from, err := time.Parse(time.RFC3339, wanted[0])
		return err == nil && !r.at.Before(from)
	}
	among := func(one string) bool {
		return slices.ContainsFunc(wanted, func(pattern string) bool {
			ok, err := path.Match(strings.ReplaceAll(pattern, "/", ":"), strings.ReplaceAll(one, "/", ":"))
			return ok && err == nil
		})
	}
	switch operator {
	case "StringNotEquals", "ArnNotLike": // a key that is not there is unlike everything
		return !slices.ContainsFunc(given, among)
	case "StringNotEqualsIfExists":
		return len(given) == 0 || !slices.ContainsFunc(given, among)
	case "ForAnyValue:StringNotEquals", "ForAnyValue:ArnNotLike":
		return slices.ContainsFunc(given, func(one string) bool { return !among(one) })
	case "Null":
		return (len(given) == 0) == (wanted[0] == "true")
	}
	t.Fatalf("operator %s", operator)
	return false
}

// usual is a call of each facet.
var usual = map[fleet.Facet]string{
	fleet.FacetStorage: "dynamodb:CreateTable", fleet.FacetProcessing: "ec2:RunInstances", fleet.FacetKey: "kms:GenerateDataKey",
	fleet.FacetBackup: "ec2:CopySnapshot", fleet.FacetReplica: "rds:CreateDBInstanceReadReplica",
}

// AWS refuses in every region, under every facet and at any time what the
// rules deny, and nothing they allow now.
func TestControlPoliciesAgreeWithTheRules(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*enforce.Input){
		"a class":   func(in *enforce.Input) { in.Classes = []string{"personal.eu"} },
		"a dataset": func(in *enforce.Input) { in.Datasets = []string{"customers"} },
		"several": func(in *enforce.Input) {
			in.Classes, in.Datasets = []string{"public"}, []string{"patients", "customers"}
		},
		"another partition": func(in *enforce.Input) { in.Datasets, in.AWS.Partition = []string{"drawings"}, "aws-us-gov" },
		"anywhere":          func(in *enforce.Input) { in.Classes = []string{"public"} },
		"one country":       func(in *enforce.Input) { in.Classes = []string{"payments.in"} },
		"processing only": func(in *enforce.Input) {
			in.Classes, in.Facets = []string{"personal.eu"}, []fleet.Facet{fleet.FacetProcessing}
		},
		"with break-glass": func(in *enforce.Input) {
			in.Datasets, in.AWS.BreakGlass = []string{"customers"}, []string{"arn:aws:iam::*:role/break-glass"}
		},
		"no store anywhere":    func(in *enforce.Input) { in.Classes = []string{"personal.vn"} },
		"the sovereign region": func(in *enforce.Input) { in.Classes, in.AWS.Partition = []string{"personal.eu"}, "aws-eusc" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := input(t)
			change(&in)
			output, err := enforce.Compile(in, enforce.TargetAWS)
			if err != nil {
				t.Fatal(err)
			}
			policies := checkControlPolicies(t, output.Files)
			facets := in.Facets
			if facets == nil {
				facets = slices.Collect(func(yield func(fleet.Facet) bool) {
					for facet := range usual {
						if !yield(facet) {
							return
						}
					}
				})
			}
			for _, at := range []time.Time{march, march.AddDate(0, 8, 0), march.AddDate(2, 0, 0)} {
				compareWithRules(t, in, policies, facets, at)
			}
		})
	}
}

func compareWithRules(t *testing.T, in enforce.Input, policies []controlPolicy, facets []fleet.Facet, at time.Time) {
	t.Helper()
	partition := in.AWS.Partition
	if partition == "" {
		partition = "aws"
	}
	allows, allowsNow := rulesAt(t, in, at), rulesAt(t, in, in.At)
	for _, name := range in.Catalog.Regions() {
		facts, _ := in.Catalog.Region(name)
		if facts.Provider != "aws" || facts.Partition != partition {
			continue
		}
		for _, facet := range facets {
			call := request{action: usual[facet], keys: map[string][]string{"aws:RequestedRegion": {facts.ID}}, principal: "arn:aws:iam::123456789012:role/app", at: at}
			refused := denied(t, policies, call)
			if allowed := allows(facet, name); !allowed && !refused {
				t.Errorf("%s %s at %s: the rules deny it and AWS lets it pass", name, facet, at)
			} else if allowed && allowsNow(facet, name) && refused {
				t.Errorf("%s %s at %s: the rules allow it and AWS does not", name, facet, at)
			}
			call.principal = "arn:aws:iam::123456789012:role/break-glass"
			if len(in.AWS.BreakGlass) > 0 && denied(t, policies, call) {
				t.Errorf("%s %s: the glass cannot be broken", name, facet)
			}
		}
	}
}

// rulesAt answers from the engine, without going through a compilation.
func rulesAt(t *testing.T, in enforce.Input, at time.Time) func(fleet.Facet, string) bool {
	t.Helper()
	book, err := residency.NewRulebook(in.Documents)
	if err != nil {
		t.Fatal(err)
	}
	rules, err := book.Compile(in.Catalog, at)
	if err != nil {
		t.Fatal(err)
	}
	var prepared []*residency.Prepared
	for _, class := range in.Classes {
		prepared = append(prepared, rules.Prepare(residency.Subject{Declared: true, Classes: []string{class}}))
	}
	for _, name := range in.Datasets {
		prepared = append(prepared, rules.Prepare(datasetOf(t, in.Documents, name)))
	}
	return func(facet fleet.Facet, region string) bool {
		for _, one := range prepared {
			if !one.AllowsRegion(facet, region) {
				return false
			}
		}
		return true
	}
}

func datasetOf(t *testing.T, documents []fleet.Resource, name string) residency.Subject {
	t.Helper()
	subject := residency.Subject{Ref: fleet.Ref{Kind: fleet.KindDataset, Name: name}, Declared: true}
	for _, document := range documents {
		switch {
		case document.Ref() == subject.Ref:
			spec, err := fleet.SpecOf[fleet.DatasetSpec](document)
			if err != nil {
				t.Fatal(err)
			}
			subject.Classes, subject.Facts, subject.Instruments = spec.Classes, spec.Facts, spec.Instruments
		case document.Kind == fleet.KindException:
			spec, err := fleet.SpecOf[fleet.ExceptionSpec](document)
			if err != nil {
				t.Fatal(err)
			}
			status, err := fleet.StatusOf[fleet.ExceptionStatus](document)
			if err != nil {
				t.Fatal(err)
			}
			if spec.Subject == subject.Ref {
				subject.Exceptions = append(subject.Exceptions, residency.Exception{Name: document.Metadata.Name, Spec: spec, Status: status})
			}
		}
	}
	return subject
}

func TestControlPolicyFaults(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*enforce.Input)
		kind   *fleet.ErrorKind
		text   string
	}{
		"nothing to be for": {func(in *enforce.Input) { in.Classes = nil }, fleet.ErrInvalid, "nothing says what data it is for"},
		"unknown class":     {func(in *enforce.Input) { in.Classes = []string{"nobody.knows"} }, fleet.ErrNotFound, "DataClass nobody.knows"},
		"unknown dataset":   {func(in *enforce.Input) { in.Datasets = []string{"none"} }, fleet.ErrNotFound, "Dataset none"},
		"no lawful region":  {func(in *enforce.Input) { in.Classes = []string{"defense.us"} }, fleet.ErrDenied, "aws/us-gov-west-1 (aws-us-gov)"},
		"no rule":           {func(in *enforce.Input) { in.Classes = []string{"nobody.wrote"} }, fleet.ErrDenied, "no cloud has a region for it"},
		"no partition":      {func(in *enforce.Input) { in.AWS.Partition = "aws-moon" }, fleet.ErrInvalid, `"aws-moon" is no partition`},
		"no role":           {func(in *enforce.Input) { in.AWS.BreakGlass = []string{"admin"} }, fleet.ErrInvalid, "aws.breakGlass[0]"},
		"role elsewhere":    {func(in *enforce.Input) { in.AWS.BreakGlass = []string{"arn:aws-cn:iam::*:role/x"} }, fleet.ErrInvalid, "another partition"},
		"every role":        {func(in *enforce.Input) { in.AWS.BreakGlass = []string{"arn:aws:iam::*:role/*"} }, fleet.ErrInvalid, "aws.breakGlass[0]"},
		"every name":        {func(in *enforce.Input) { in.AWS.BreakGlass = []string{"arn:aws:iam::123456789012:*"} }, fleet.ErrInvalid, "is everybody"},
		"every user":        {func(in *enforce.Input) { in.AWS.BreakGlass = []string{"arn:aws:iam::*:u*"} }, fleet.ErrInvalid, "is everybody"},
		"half an action":    {func(in *enforce.Input) { in.AWS.GlobalServices = []string{"cloudfront:"} }, fleet.ErrInvalid, "aws.globalServices[0]"},
		"no action":         {func(in *enforce.Input) { in.AWS.GlobalServices = []string{"cloudfront"} }, fleet.ErrInvalid, "aws.globalServices[0]"},
		"wrong facet":       {func(in *enforce.Input) { in.Facets = []fleet.Facet{fleet.FacetAccess} }, fleet.ErrInvalid, "facets"},
		"too many roles": {func(in *enforce.Input) {
			for range 80 {
				in.AWS.BreakGlass = append(in.AWS.BreakGlass, "arn:aws:iam::123456789012:role/a-rather-long-name-of-a-role-that-breaks-glass")
			}
		}, fleet.ErrInvalid, "longer than the 5120 characters"},
		"too many policies": {func(in *enforce.Input) {
			in.Datasets = []string{"customers", "patients"}
			for range 25 {
				in.AWS.BreakGlass = append(in.AWS.BreakGlass, "arn:aws:iam::123456789012:role/a-rather-long-name-of-a-role-that-breaks-glass")
			}
		}, fleet.ErrInvalid, "can be attached"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := input(t)
			in.Classes = []string{"personal.eu"}
			c.change(&in)
			_, err := enforce.Compile(in, enforce.TargetAWS)
			if !errors.Is(err, c.kind) || !strings.Contains(err.Error(), c.text) {
				t.Errorf("got %v (%v)", err, fleet.KindOf(err))
			}
		})
	}
	if _, err := enforce.Compile(input(t), "moon"); !errors.Is(err, fleet.ErrInvalid) {
		t.Errorf("another target: %v", err)
	}
}
