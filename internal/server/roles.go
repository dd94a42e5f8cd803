package server

import (
	"slices"

	"github.com/meridian-fleet/meridian/api/fleet/v1/fleetv1connect"
	"github.com/meridian-fleet/meridian/internal/fleet"
)

// Role is a part that a user has. A user has any number of them; none
// includes another.
type Role string

// The roles.
const (
	Viewer     Role = "viewer"     // looks at everything
	Operator   Role = "operator"   // onboards, rolls out, heals; declares datasets and workloads
	Approver   Role = "approver"   // approves exceptions
	Compliance Role = "compliance" // owns policies, what is recorded as found, and the evidence
	Admin      Role = "admin"      // operates, declares the fleet, deletes, gets kubeconfigs
)

// Roles lists the roles.
var Roles = []Role{Viewer, Operator, Approver, Compliance, Admin}

// Identity is who calls.
type Identity struct {
	User  string // as histories show it
	Roles []Role
}

// hasAny reports whether the user has one of some roles.
func (i Identity) hasAny(roles []Role) bool {
	return slices.ContainsFunc(i.Roles, func(role Role) bool { return slices.Contains(roles, role) })
}

var (
	everyRole = Roles
	operators = []Role{Operator, Admin}
	// declarers may apply and delete some kinds; see writers.
	declarers = []Role{Operator, Compliance, Admin}
)

// callers says which roles may call what. A call that is missing here is
// refused to everybody.
var callers = map[string][]Role{
	fleetv1connect.FleetServiceGetVersionProcedure:  everyRole,
	fleetv1connect.FleetServiceGetProcedure:         everyRole,
	fleetv1connect.FleetServiceListProcedure:        everyRole,
	fleetv1connect.FleetServiceHistoryProcedure:     everyRole,
	fleetv1connect.FleetServiceWatchProcedure:       everyRole,
	fleetv1connect.FleetServicePlanRolloutProcedure: everyRole,

	fleetv1connect.FleetServiceOnboardRegionsProcedure:  operators,
	fleetv1connect.FleetServiceAbortOnboardingProcedure: operators,
	fleetv1connect.FleetServiceStartRolloutProcedure:    operators,
	fleetv1connect.FleetServiceControlRolloutProcedure:  operators,
	fleetv1connect.FleetServiceCheckDriftProcedure:      operators,
	fleetv1connect.FleetServiceHealDriftProcedure:       operators,

	fleetv1connect.FleetServiceApplyProcedure:         declarers,
	fleetv1connect.FleetServiceDeleteProcedure:        declarers,
	fleetv1connect.FleetServiceGetKubeconfigProcedure: {Admin},

	fleetv1connect.ResidencyServiceCheckResidencyProcedure: everyRole,
	fleetv1connect.ResidencyServiceFindRegionsProcedure:    everyRole,
	fleetv1connect.ResidencyServiceListLocatedProcedure:    everyRole,
	fleetv1connect.ResidencyServiceDatasetHistoryProcedure: everyRole,
	fleetv1connect.ResidencyServiceAuditResidencyProcedure: everyRole,
	fleetv1connect.ResidencyServiceDiffPoliciesProcedure:   everyRole,
	fleetv1connect.ResidencyServiceListCatalogProcedure:    everyRole,
	fleetv1connect.ResidencyServiceVerifyEvidenceProcedure: everyRole,
	fleetv1connect.ResidencyServiceWhoAmIProcedure:         everyRole,

	fleetv1connect.ResidencyServiceRequestExceptionProcedure: declarers,
	fleetv1connect.ResidencyServiceApproveExceptionProcedure: {Approver},
	fleetv1connect.ResidencyServiceRevokeExceptionProcedure:  {Compliance},
	fleetv1connect.ResidencyServiceExportEvidenceProcedure:   {Compliance},
}

// writers says which roles may apply and delete documents of a kind. Some
// parts of documents need more; see deed.
var writers = map[fleet.Kind][]Role{
	fleet.KindRegion:          {Admin},
	fleet.KindCluster:         {Admin},
	fleet.KindClusterProfile:  {Admin},
	fleet.KindBaseline:        {Admin},
	fleet.KindRolloutStrategy: {Admin},

	fleet.KindResidencyPolicy:   {Compliance},
	fleet.KindJurisdictionGroup: {Compliance},
	fleet.KindDataClass:         {Compliance},

	fleet.KindDataset:  declarers,
	fleet.KindWorkload: declarers,
}

// takes tells a user which role is missing.
func takes(roles []Role) string {
	names := ""
	for i, role := range roles {
		switch {
		case i == 0:
		case i == len(roles)-1:
			names += " or "
		default:
			names += ", "
		}
		names += string(role)
	}
	if names == "" {
		return "nobody may"
	}
	return "it takes the role " + names
}
