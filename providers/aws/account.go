package aws

import (
	"github.com/meridian-fleet/meridian/providers"
	"github.com/meridian-fleet/meridian/providers/internal/render"
)

// The account settings a request may have. All are optional.
const (
	settingRoleIdentity = "roleIdentity" // AWSClusterRoleIdentity to act through; default: the controller's own identity
	settingClusterRole  = "clusterRole"  // IAM role of the control plane; default: CAPA's
	settingNodeRole     = "nodeRole"     // IAM role of the nodes; default: CAPA's
	settingVPC          = "vpc"          // id of an existing VPC; default: a new one
	settingVPCRange     = "vpcRange"     // of a new VPC; default 10.0.0.0/16
	settingSecretsKey   = "secretsKey"   // ARN of the KMS key that encrypts Kubernetes secrets
	settingSSHKey       = "sshKey"       // EC2 key pair of the nodes; default: none
)

var settings = []string{
	settingRoleIdentity, settingClusterRole, settingNodeRole, settingVPC, settingVPCRange, settingSecretsKey, settingSSHKey,
}

// The roles CAPA's bootstrap stack makes in an account.
const (
	defaultClusterRole = "eks-controlplane.cluster-api-provider-aws.sigs.k8s.io"
	defaultNodeRole    = "eks-nodegroup.cluster-api-provider-aws.sigs.k8s.io"
	defaultVPCRange    = "10.0.0.0/16"
)

func check(request providers.ClusterRequest) error {
	return render.Check(request, func(faults *providers.Faults) {
		render.CheckAccount(request.Account, settings, nil, faults)
		if request.Account[settingVPC] != "" && request.Account[settingVPCRange] != "" {
			faults.Add("account."+settingVPCRange, "an existing VPC has a range already")
		}
		gpuMachines.CheckGPUs(request, faults)
	})
}

func setting(request providers.ClusterRequest, name, otherwise string) string {
	if value := request.Account[name]; value != "" {
		return value
	}
	return otherwise
}
