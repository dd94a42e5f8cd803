package enforce

import (
	"fmt"
	"slices"

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
		"service control policies do not hold for the organization's management account and for service-linked roles: keep no data there",
		"resources that are there already stay, also where no new ones may be made; the audit names them",
		"facets are told apart by the actions that make stores, machines, keys, backups and replicas of the usual services; others may be used wherever one of the facets is allowed",
		"global services of identity, billing, support and DNS are not bound to regions; they keep names and settings, and must be given no data",
		"who may be written to in other accounts, by cross-account access, is decided by those accounts' policies",
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
	"dynamodb:CreateGlobalTable", "ecr:PutReplicationConfiguration", "elasticache:CreateGlobalReplicationGroup",
	"elasticfilesystem:CreateReplicationConfiguration", "redshift:EnableSnapshotCopy", "rds:CreateGlobalCluster",
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
	residual := slices.Concat(p.otherPartitions("an account"), writer.residual, p.excepted("the account"))
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
	switch facet {
	case fleet.FacetStorage:
		w.deny("DenyBucketsElsewhere", first, first, statement{Action: []string{"s3:CreateBucket"}, operator: "StringNotEqualsIfExists"}, "s3:LocationConstraint")
	case fleet.FacetKey:
		w.deny("DenyKeyReplicasElsewhere", first, first, statement{Action: []string{"kms:ReplicateKey"}}, "kms:ReplicaRegion")
	case fleet.FacetBackup:
		w.backupCopies(first)
	case fleet.FacetReplica:
		w.deny("DenySecretReplicasElsewhere", first, first,
			statement{Action: []string{"secretsmanager:CreateSecret", "secretsmanager:ReplicateSecretToRegions"}, operator: "ForAnyValue:StringNotEquals"}, "secretsmanager:AddReplicaRegions")
		w.blind(first)
	}
}

// backupCopies denies copies of backups into vaults of other regions.
func (w *controlPolicy) backupCopies(at step) {
	vaults := step{from: at.from}
	for _, region := range at.regions {
		vaults.regions = append(vaults.regions, fmt.Sprintf("arn:%s:backup:%s:*:backup-vault:*", w.where, region))
	}
	w.deny("DenyBackupCopiesElsewhere", vaults, vaults, statement{Action: []string{"backup:CopyFromBackupVault"}, operator: "ForAnyValue:ArnNotLike"}, "backup:CopyTargets")
}

// blind denies copies whose target cannot be seen, where there is no second
// region they could lawfully go to.
func (w *controlPolicy) blind(at step) {
	if len(at.regions) < 2 {
		w.statements = append(w.statements, w.finish(statement{Sid: "DenyReplication", Action: blindCopies}, nil))
		return
	}
	w.residual = append(w.residual, Residual{Facet: fleet.FacetReplica, Reason: "the region that S3 replication, multi-region access points, ECR and EFS replication, " +
		"Redshift snapshot copies and global tables and clusters lead to is not visible to it; buckets and stores in other regions of accounts with these policies cannot be made"})
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
	} else if made.operator != "" {
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
