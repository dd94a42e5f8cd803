package enforce

import (
	"fmt"
	"slices"
	"strings"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

var awsLimits = limits{
	target: "AWS",
	facets: map[fleet.Facet]string{
		fleet.FacetAccess: reasonAccess, fleet.FacetTelemetry: reasonTelemetry,
		fleet.FacetMetadata: reasonMetadata, fleet.FacetTransit: reasonTransit,
	},
	copies: "a service control policy can refuse a place and not demand a copy elsewhere; a dataset is judged with the copies known when compiling, a class as if there were none",
	general: []string{
		reasonLater,
		"service control policies do not hold for the organization's management account and for service-linked roles: keep no data there",
		"resources that are there already stay, also where no new ones may be made; the audit names them",
		"facets are told apart by the actions that make stores, machines, keys, backups and replicas of the usual services; others may be used wherever one of the facets is allowed",
		"global services of identity, billing, support and DNS are not bound to regions; they keep names and settings, and must be given no data",
		"keys are judged where they are made: AWS's own, and those of external key stores, are where AWS or their managers keep them, and which key a service encrypts with is not looked at",
		"who may be written to in other accounts, by cross-account access, is decided by those accounts' policies",
		"Local Zones, Wavelength Zones and Outposts belong to a region and may be in another country: opting in to more zones is refused, those that are in use already stay, and where racks stand is not seen",
		"what a service sends to other regions by its own settings (event buses, streams, log and file transfers) is seen only where a role of the account makes the call",
	},
}

// globalActions are of the services that have one endpoint for all regions and hold
// names and settings, not data. CloudFront, Global Accelerator and the like
// hold or carry data and are not among them.
var globalActions = []string{
	"account:*", "artifact:*", "aws-marketplace:*", "aws-portal:*", "billing:*", "budgets:*", "ce:*", "consolidatedbilling:*", "cur:*",
	"ec2:DescribeRegions", "freetier:*", "health:*", "iam:*", "invoicing:*", "organizations:*", "payments:*", "pricing:*",
	"route53:*", "route53domains:*", "s3:GetAccountPublicAccessBlock", "s3:ListAllMyBuckets", "s3:PutAccountPublicAccessBlock",
	"savingsplans:*", "sts:*", "support:*", "supportplans:*", "tax:*", "trustedadvisor:*",
}

// worldwideActions make what holds data all over the world, although the
// service has its endpoint in one region.
var worldwideActions = []string{"cloudfront:Create*", "cloudfront:UpdateDistribution*", "globalaccelerator:Create*", "lambda:EnableReplication*"}

// actionsOf are the actions by which usual services do something to data at a
// place, under a facet.
var actionsOf = map[fleet.Facet][]string{
	fleet.FacetStorage: {
		"cassandra:Create", "dynamodb:CreateTable", "dynamodb:ImportTable", "ec2:CreateVolume", "ecr:CreateRepository", "elasticache:Create*",
		"elasticfilesystem:CreateFileSystem", "es:CreateDomain", "fsx:CreateFileSystem*", "fsx:CreateVolume*", "kinesis:CreateStream",
		"memorydb:CreateCluster", "rds:CreateDBCluster", "rds:CreateDBInstance", "redshift:CreateCluster", "redshift-serverless:CreateNamespace",
		"s3:CreateBucket", "s3:PutObject", "secretsmanager:CreateSecret", "sqs:CreateQueue", "ssm:PutParameter", "timestream:Create*",
	},
	fleet.FacetProcessing: {
		"apprunner:CreateService", "athena:StartQueryExecution", "batch:SubmitJob", "bedrock:InvokeModel*", "ec2:RunInstances", "ec2:StartInstances",
		"ecs:CreateService", "ecs:RunTask", "eks:CreateCluster", "eks:CreateFargateProfile", "eks:CreateNodegroup", "elasticmapreduce:RunJobFlow",
		"emr-serverless:StartJobRun", "glue:StartJobRun", "lambda:CreateFunction", "lambda:InvokeFunction", "lightsail:Create*", "sagemaker:Create*", "states:StartExecution",
	},
	fleet.FacetKey: {"cloudhsm:CreateCluster", "cloudhsm:CreateHsm", "kms:*"},
	fleet.FacetBackup: {
		"backup:CopyIntoBackupVault", "backup:CreateBackupVault", "backup:StartBackupJob", "dynamodb:CreateBackup", "ec2:CopyImage", "ec2:CopySnapshot",
		"ec2:CreateImage", "ec2:CreateSnapshot*", "fsx:CopyBackup", "fsx:CreateBackup", "rds:CopyDB*", "rds:CreateDBClusterSnapshot", "rds:CreateDBSnapshot",
		"rds:StartDBInstanceAutomatedBackupsReplication",
	},
	fleet.FacetReplica: {"dynamodb:CreateTableReplica", "rds:CreateDBInstanceReadReplica"},
}

// blindCopies set up copies to a region the policy does not see.
var blindCopies = []string{
	"cassandra:CreateMultiRegionResource", "cloudhsm:CopyBackupToRegion", "dynamodb:CreateGlobalTable", "dynamodb:UpdateGlobalTable",
	"ecr:PutReplicationConfiguration", "elasticache:CreateGlobalReplicationGroup", "elasticfilesystem:CreateReplicationConfiguration",
	"memorydb:CreateMultiRegionCluster", "redshift-serverless:CreateSnapshotCopyConfiguration", "redshift:EnableSnapshotCopy", "rds:CreateGlobalCluster",
	"s3:CreateMultiRegionAccessPoint", "s3:PutReplicationConfiguration",
}

// aws writes service control policies for an account.
func (c *Compiler) aws() (Output, error) {
	partition := c.input.AWS.Partition
	if partition == "" {
		partition = "aws"
	}
	p, err := c.purposeIn("aws", partition)
	if err != nil {
		return Output{}, err
	}
	writer := &controlPolicy{purpose: p, settings: c.input.AWS}
	if err := writer.check(); err != nil {
		return Output{}, err
	}
	if err := writer.write(); err != nil {
		return Output{}, err
	}
	files, err := packed(writer.statements)
	if err != nil {
		return Output{}, err
	}
	residual := slices.Concat(p.otherPartitions("an account"), writer.residual, writer.settings.left(), p.excepted("the account"))
	return Output{Files: files, Residual: append(residual, c.residual(awsLimits)...)}, nil
}

// controlPolicy is a service control policy in the making.
type controlPolicy struct {
	*purpose
	settings   AWS
	statements []statement
	residual   []Residual
}

// write denies what is in no region of the purpose, then, facet by facet, what
// is in fewer regions than that.
func (w *controlPolicy) write() error {
	anywhere, err := w.steps(w.any)
	if err != nil {
		return err
	}
	if len(anywhere[0].regions) == 0 {
		return w.nowhere("may the data be")
	}
	global := append(slices.Clone(globalActions), w.settings.GlobalServices...)
	slices.Sort(global)
	for _, at := range anywhere {
		w.deny("DenyOtherRegions", at, anywhere[0], statement{NotAction: slices.Compact(slices.Clone(global))}, regionKey)
	}
	w.deny("DenyOtherOptIns", anywhere[0], anywhere[0], statement{Action: []string{"account:EnableRegion"}}, "account:TargetRegion")
	w.deny("DenyLocalZones", step{from: anywhere[0].from}, anywhere[0], statement{Action: []string{"ec2:ModifyAvailabilityZoneGroup"}}, regionKey)
	if err := w.worldwide(anywhere[0]); err != nil {
		return err
	}
	for _, facet := range w.facets {
		allowed, err := w.steps(only(facet))
		if err != nil {
			return err
		}
		w.facet(facet, allowed, anywhere)
	}
	return nil
}

var facetNames = map[fleet.Facet]string{
	fleet.FacetStorage: "Stores", fleet.FacetProcessing: "Processing", fleet.FacetKey: "Keys", fleet.FacetBackup: "Backups", fleet.FacetReplica: "Replicas",
}

// worldwide denies what is not bound to regions, unless the data may be in all
// of them or somebody decided so.
func (w *controlPolicy) worldwide(anywhere step) error {
	common, err := w.steps(w.every)
	if err != nil {
		return err
	}
	if slices.Equal(common[len(common)-1].regions, w.partitionRegions()) {
		return nil
	}
	actions := slices.DeleteFunc(slices.Clone(worldwideActions), func(action string) bool {
		service, _, _ := strings.Cut(action, ":")
		return slices.ContainsFunc(w.settings.GlobalServices, func(decided string) bool { return strings.HasPrefix(decided, service+":") })
	})
	if len(actions) > 0 {
		w.deny("DenyWorldwide", step{from: anywhere.from}, anywhere, statement{Action: actions}, regionKey)
	}
	return nil
}

// facet denies a facet's actions where only others are allowed; keys always,
// as the well-known examples of region policies leave them out. Where the
// place is an argument of a request and not where it is sent, that is denied
// besides.
func (w *controlPolicy) facet(facet fleet.Facet, allowed, anywhere []step) {
	first := allowed[0]
	if facet == fleet.FacetKey || !equalSteps(allowed, anywhere) {
		for _, at := range allowed {
			w.deny("Deny"+facetNames[facet]+"Elsewhere", at, first, statement{Action: actionsOf[facet]}, regionKey)
		}
	}
	for _, at := range allowed {
		w.targets(facet, at, first)
	}
	if facet == fleet.FacetReplica {
		w.blind(allowed)
	}
}

// targets denies requests that name another region than the one they are sent
// to.
func (w *controlPolicy) targets(facet fleet.Facet, at, first step) {
	switch facet {
	case fleet.FacetStorage:
		w.buckets(at, first)
	case fleet.FacetKey:
		w.deny("DenyKeyReplicasElsewhere", at, first, statement{Action: []string{"kms:ReplicateKey"}}, "kms:ReplicaRegion")
	case fleet.FacetBackup:
		w.backupCopies(at, first)
	case fleet.FacetReplica:
		w.deny("DenySecretReplicasElsewhere", at, first,
			statement{Action: []string{"secretsmanager:CreateSecret", "secretsmanager:ReplicateSecretToRegions"}, operator: "ForAnyValue:StringNotEquals"}, "secretsmanager:AddReplicaRegions")
	}
}

// buckets denies buckets in other regions. One for us-east-1 is made by naming
// no region at all, and where the request is sent is denied besides.
func (w *controlPolicy) buckets(at, first step) {
	made := statement{Action: []string{"s3:CreateBucket"}, operator: "StringNotEqualsIfExists"}
	if slices.Contains(at.regions, "us-east-1") {
		made.operator, made.given = "StringNotEquals", true
	}
	w.deny("DenyBucketsElsewhere", at, first, made, "s3:LocationConstraint")
}

// backupCopies denies copies of backups into vaults of other regions.
func (w *controlPolicy) backupCopies(at, first step) {
	vaults := step{from: at.from}
	for _, region := range at.regions {
		vaults.regions = append(vaults.regions, fmt.Sprintf("arn:%s:backup:%s:*:backup-vault:*", w.where, region))
	}
	w.deny("DenyBackupCopiesElsewhere", vaults, first, statement{Action: []string{"backup:CopyFromBackupVault"}, operator: "ForAnyValue:ArnNotLike"}, "backup:CopyTargets")
}

// blind denies copies whose target cannot be seen, from when on there is no
// second region they could lawfully go to.
func (w *controlPolicy) blind(allowed []step) {
	alone := slices.IndexFunc(allowed, func(at step) bool { return len(at.regions) < 2 })
	if alone >= 0 {
		w.deny("DenyReplication", step{from: allowed[alone].from}, allowed[0], statement{Action: blindCopies}, regionKey)
		w.residual = append(w.residual, Residual{Facet: fleet.FacetReplica, Reason: "replication by a service's own settings is refused within a region, too, where no other region is lawful: where it leads is not visible"})
	}
	if alone == 0 {
		return
	}
	w.residual = append(w.residual, Residual{Facet: fleet.FacetReplica, Reason: "the region that S3 replication, multi-region access points, ECR and EFS replication, " +
		"copies of Redshift snapshots and of HSM backups, and global or multi-region tables, caches and clusters lead to is not visible to it; " +
		"buckets and stores in other regions of accounts with these policies cannot be made"})
}

// deny adds a statement about requests whose value of a key is no region of a
// step. A later step says from when it holds; a step without regions denies
// everywhere.
func (w *controlPolicy) deny(sid string, at, first step, made statement, key string) {
	made.Sid = sid
	conditions := map[string]map[string]any{}
	if len(at.regions) > 0 {
		operator := made.operator
		if operator == "" {
			operator = "StringNotEquals"
		}
		conditions[operator] = map[string]any{key: at.regions}
	}
	if made.given || len(at.regions) == 0 && made.operator != "" {
		conditions["Null"] = map[string]any{key: "false"}
	}
	if !at.from.Equal(first.from) {
		made.Sid += "From" + at.from.UTC().Format("20060102T150405Z")
		conditions["DateGreaterThanEquals"] = map[string]any{"aws:CurrentTime": at.from.UTC().Format("2006-01-02T15:04:05Z")}
	}
	w.statements = append(w.statements, w.finish(made, conditions))
}

// finish completes a statement: it denies, everything, everybody but those who
// break the glass.
func (w *controlPolicy) finish(made statement, conditions map[string]map[string]any) statement {
	made.Effect, made.Resource, made.Condition = "Deny", "*", conditions
	if len(w.settings.BreakGlass) > 0 {
		if made.Condition == nil {
			made.Condition = map[string]map[string]any{}
		}
		made.Condition["ArnNotLike"] = map[string]any{"aws:PrincipalArn": w.settings.BreakGlass}
	}
	return made
}

const regionKey = "aws:RequestedRegion"

func equalSteps(a, b []step) bool {
	return slices.EqualFunc(a, b, func(a, b step) bool { return a.from.Equal(b.from) && slices.Equal(a.regions, b.regions) })
}
