package enforce_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/residency/enforce"
)

// Copies to other regions are asked for where the data is.
func TestControlPoliciesOnCopies(t *testing.T) {
	t.Parallel()
	in := input(t)
	in.Classes = []string{"personal.eu"}
	output, err := enforce.Compile(in, enforce.TargetAWS)
	if err != nil {
		t.Fatal(err)
	}
	policies := checkControlPolicies(t, output.Files)
	for _, c := range []struct {
		action, key, value string
		denied             bool
	}{
		{"kms:ReplicateKey", "kms:ReplicaRegion", "eu-west-1", false},
		{"kms:ReplicateKey", "kms:ReplicaRegion", "eu-north-1", true}, // keys are in fewer countries
		{"kms:ReplicateKey", "kms:ReplicaRegion", "us-east-1", true},
		{"s3:CreateBucket", "s3:LocationConstraint", "eu-north-1", false},
		{"s3:CreateBucket", "s3:LocationConstraint", "us-west-2", true},
		{"backup:CopyFromBackupVault", "backup:CopyTargets", "arn:aws:backup:eu-west-1:123456789012:backup-vault:v", false},
		{"backup:CopyFromBackupVault", "backup:CopyTargets", "arn:aws:backup:us-east-1:123456789012:backup-vault:v", true},
		{"secretsmanager:ReplicateSecretToRegions", "secretsmanager:AddReplicaRegions", "eu-west-3", false},
		{"secretsmanager:ReplicateSecretToRegions", "secretsmanager:AddReplicaRegions", "sa-east-1", true},
		{"account:EnableRegion", "account:TargetRegion", "eu-south-2", false},
		{"account:EnableRegion", "account:TargetRegion", "me-south-1", true},
	} {
		call := request{action: c.action, at: march, keys: map[string][]string{"aws:RequestedRegion": {"eu-central-1"}, c.key: {c.value}}}
		if got := denied(t, policies, call); got != c.denied {
			t.Errorf("%s to %s: denied %v", c.action, c.value, got)
		}
	}
	for _, global := range []string{"iam:CreateRole", "sts:AssumeRole", "route53:ChangeResourceRecordSets", "s3:ListAllMyBuckets"} {
		if denied(t, policies, request{action: global, at: march, keys: map[string][]string{"aws:RequestedRegion": {"us-east-1"}}}) {
			t.Errorf("%s does not work any more", global)
		}
	}
	if !denied(t, policies, request{action: "cloudfront:CreateDistribution", at: march, keys: map[string][]string{"aws:RequestedRegion": {"us-east-1"}}}) {
		t.Error("content may be cached all over the world")
	}
}

// What is allowed for a time is so as a target of copies, too.
func TestCopiesEndWithTheRules(t *testing.T) {
	t.Parallel()
	in := input(t)
	in.Datasets = []string{"customers"}
	output, err := enforce.Compile(in, enforce.TargetAWS)
	if err != nil {
		t.Fatal(err)
	}
	policies := checkControlPolicies(t, output.Files)
	ends := time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC) // the exception's
	for _, c := range []struct {
		region string
		at     time.Time
		denied bool
	}{{"sa-east-1", ends.Add(-time.Second), false}, {"sa-east-1", ends, true}, {"eu-west-1", ends, false}} {
		call := request{action: "s3:CreateBucket", at: c.at, keys: map[string][]string{"aws:RequestedRegion": {"eu-central-1"}, "s3:LocationConstraint": {c.region}}}
		if got := denied(t, policies, call); got != c.denied {
			t.Errorf("a bucket in %s at %s: denied %v", c.region, c.at, got)
		}
	}
}

// A region's name is not all there is to where something is.
func TestBeyondRegions(t *testing.T) {
	t.Parallel()
	compile := func(class string, global ...string) []controlPolicy {
		in := input(t)
		in.Classes, in.AWS.GlobalServices = []string{class}, global
		output, err := enforce.Compile(in, enforce.TargetAWS)
		if err != nil {
			t.Fatal(err)
		}
		return checkControlPolicies(t, output.Files)
	}
	europe, world, nowhereStored := compile("personal.eu"), compile("public"), compile("personal.vn")
	decided := compile("personal.vn", "cloudfront:*")
	for _, c := range []struct {
		what     string
		policies []controlPolicy
		action   string
		denied   bool
	}{
		{"a zone in another country", europe, "ec2:ModifyAvailabilityZoneGroup", true},
		{"a bucket in Virginia", world, "s3:CreateBucket", false}, // made by naming no region
		{"a bucket in Virginia", europe, "s3:CreateBucket", true},
		{"caches all over the world", world, "cloudfront:CreateDistribution", false},
		{"caches all over the world, of what is processed in Virginia", nowhereStored, "cloudfront:CreateDistribution", true},
		{"functions at the edge", nowhereStored, "lambda:EnableReplication", true},
		{"caches somebody decided on", decided, "cloudfront:CreateDistribution", false},
		{"functions nobody decided on", decided, "lambda:EnableReplication", true},
	} {
		call := request{action: c.action, at: march, keys: map[string][]string{"aws:RequestedRegion": {"us-east-1"}}}
		if got := denied(t, c.policies, call); got != c.denied {
			t.Errorf("%s: denied %v", c.what, got)
		}
	}
}

// Where a copy leads that a service makes by its own settings is not seen:
// none is made where there is only one lawful region.
func TestCopiesNobodySees(t *testing.T) {
	t.Parallel()
	for partition, want := range map[string]struct {
		denied bool
		text   string
	}{"aws": {false, "is not visible to it"}, "aws-eusc": {true, "is refused within a region, too"}} {
		in := input(t)
		in.Classes, in.AWS.Partition = []string{"personal.eu"}, partition
		output, err := enforce.Compile(in, enforce.TargetAWS)
		if err != nil {
			t.Fatal(err)
		}
		policies := checkControlPolicies(t, output.Files)
		for _, action := range []string{"s3:PutReplicationConfiguration", "cloudhsm:CopyBackupToRegion", "cassandra:CreateMultiRegionResource"} {
			region := map[string]string{"aws": "eu-central-1", "aws-eusc": "eusc-de-east-1"}[partition]
			call := request{action: action, at: march, keys: map[string][]string{"aws:RequestedRegion": {region}}}
			if got := denied(t, policies, call); got != want.denied {
				t.Errorf("%s %s: denied %v", partition, action, got)
			}
		}
		if !slices.ContainsFunc(output.Residual, func(r enforce.Residual) bool {
			return r.Facet == fleet.FacetReplica && strings.Contains(r.Reason, want.text)
		}) {
			t.Errorf("%s: %+v", partition, output.Residual)
		}
	}
}

// What the settings let pass is not kept, and said to be.
func TestSettingsAreResiduals(t *testing.T) {
	t.Parallel()
	in := input(t)
	in.Classes, in.AWS.BreakGlass, in.AWS.GlobalServices = []string{"personal.eu"}, []string{"arn:aws:iam::*:role/break-glass"}, []string{"cloudfront:*"}
	output, err := enforce.Compile(in, enforce.TargetAWS)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"arn:aws:iam::*:role/break-glass: not held by it", "cloudfront:*: may be called in every region"} {
		if !slices.ContainsFunc(output.Residual, func(r enforce.Residual) bool { return strings.HasPrefix(r.Reason, text) }) {
			t.Errorf("no residual %q", text)
		}
	}
}
