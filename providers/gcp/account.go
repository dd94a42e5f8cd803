package gcp

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/meridian-fleet/meridian/providers"
	"github.com/meridian-fleet/meridian/providers/internal/render"
)

// The account settings a request may have. Only the project is required.
const (
	settingProject        = "project"
	settingNetwork        = "network"        // VPC network; default "default"
	settingReleaseChannel = "releaseChannel" // rapid, regular, stable or extended; default: none, versions change only by rollout
	settingPublicNodes    = "publicNodes"    // "true" gives nodes public addresses; default: private ones, which need Cloud NAT to reach the internet
	settingNodeAccount    = "nodeAccount"    // e-mail of the nodes' service account; default: the project's default one
	settingGPUZones       = "gpuZones"       // letters of the zones that have the wanted GPUs, such as "a,c"; default: the region's first
	settingCredentials    = "credentials"    // NAMESPACE/NAME of a secret with a service account key; default: the controller's own
)

var settings = []string{
	settingProject, settingNetwork, settingReleaseChannel, settingPublicNodes, settingNodeAccount, settingGPUZones, settingCredentials,
}

var (
	projectID   = regexp.MustCompile(`^([a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]$`)
	zoneLetters = regexp.MustCompile(`^[a-z](,[a-z])*$`)
	secretName  = regexp.MustCompile(`^[a-z0-9-]+/[a-z0-9.-]+$`)
)

// gpuFamily matches the machine families that come with GPUs. To other machines
// GKE attaches GPUs by a setting that CAPG's node pools do not have.
var gpuFamily = regexp.MustCompile(`^(a[2-9]x?|g[2-9])-`)

func check(request providers.ClusterRequest) error {
	return render.Check(request, func(faults *providers.Faults) {
		render.CheckAccount(request.Account, settings, []string{settingProject}, faults)
		for name, form := range map[string]*regexp.Regexp{
			settingProject: projectID, settingGPUZones: zoneLetters, settingCredentials: secretName,
			settingReleaseChannel: regexp.MustCompile(`^(rapid|regular|stable|extended)$`),
			settingPublicNodes:    regexp.MustCompile(`^(true|false)$`),
		} {
			if value := request.Account[name]; value != "" && !form.MatchString(value) {
				faults.Add("account."+name, "%q is not of the form %s", value, form)
			}
		}
		gpuMachines.CheckGPUs(request, faults)
		for i, pool := range request.NodePools {
			if pool.GPU != nil && pool.InstanceType != "" && !gpuFamily.MatchString(pool.InstanceType) {
				faults.Add(fmt.Sprintf("nodePools[%d].instanceType", i),
					"%s comes without GPUs, and Cluster API cannot attach any on Google Cloud; take one of the families a2, a3, a4, g2, g4", pool.InstanceType)
			}
		}
	})
}

func gpuZones(request providers.ClusterRequest) []string {
	if letters := request.Account[settingGPUZones]; letters != "" {
		return strings.Split(letters, ",")
	}
	return nil
}
