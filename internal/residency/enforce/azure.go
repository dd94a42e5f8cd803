package enforce

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/residency"
)

var azureLimits = limits{
	target: "Azure",
	facets: map[fleet.Facet]string{
		fleet.FacetAccess: reasonAccess, fleet.FacetTelemetry: reasonTelemetry,
		fleet.FacetMetadata: reasonMetadata, fleet.FacetTransit: reasonTransit,
	},
	copies: "a policy can refuse a place and not demand a copy elsewhere; a dataset is judged with the copies known when compiling, a class as if there were none",
	general: []string{
		reasonLater,
		"what is there already is flagged as not compliant and stays; the audit names it",
		"resources whose location is global, and Azure AD B2C directories, are left out by the built-in definition",
		"facets are told apart by the types of resources that are stores, machines, key vaults and backup vaults; other types may be used wherever one of the facets is allowed",
		"geo-redundancy is seen of storage accounts and of SQL databases' backups; Recovery Services vaults are geo-redundant unless told otherwise, and replicas a service makes by its own settings (Cosmos DB, SQL failover groups, image galleries, Site Recovery, Key Vault's own) are not seen",
		"keys are judged where their vaults are made: which key a resource encrypts with, Microsoft's own or one in another subscription's vault, is not looked at",
		"databases made by T-SQL are not seen by Azure Policy",
		"a deployment takes nothing away: delete the exemptions of exceptions that were revoked before they expired, or deploy the template as a stack that deletes what it no longer has",
		"who may write assignments or exemptions in its scope (owners, Resource Policy Contributors) can undo it: assign it to a management group above those who use it",
	},
}

// Azure's own definitions.
const (
	allowedLocations      = "e56962a6-4747-49cd-b67b-bf8b01975c4c" // Allowed locations
	allowedGroupLocations = "e765b5de-1225-4ba3-bd56-1ac6695af988" // Allowed locations for resource groups
	noGeoBackupsOfSQL     = "b219b9cf-f672-4f96-9ab0-f5a3ac5e1c13" // SQL Database should avoid using GRS backup redundancy
)

// typesOf are the types of resources that hold, process, … data.
var typesOf = map[fleet.Facet][]string{
	fleet.FacetStorage: {
		"Microsoft.Cache/redis", "Microsoft.Compute/disks", "Microsoft.ContainerRegistry/registries", "Microsoft.DBforMySQL/flexibleServers",
		"Microsoft.DBforPostgreSQL/flexibleServers", "Microsoft.DocumentDB/databaseAccounts", "Microsoft.EventHub/namespaces", "Microsoft.Kusto/clusters",
		"Microsoft.NetApp/netAppAccounts", "Microsoft.Search/searchServices", "Microsoft.ServiceBus/namespaces", "Microsoft.Sql/managedInstances",
		"Microsoft.Sql/servers", "Microsoft.Storage/storageAccounts",
	},
	fleet.FacetProcessing: {
		"Microsoft.App/containerApps", "Microsoft.App/managedEnvironments", "Microsoft.Batch/batchAccounts", "Microsoft.CognitiveServices/accounts",
		"Microsoft.Compute/virtualMachines", "Microsoft.Compute/virtualMachineScaleSets", "Microsoft.ContainerInstance/containerGroups",
		"Microsoft.ContainerService/managedClusters", "Microsoft.DataFactory/factories", "Microsoft.Databricks/workspaces",
		"Microsoft.MachineLearningServices/workspaces", "Microsoft.Synapse/workspaces", "Microsoft.Web/serverFarms", "Microsoft.Web/sites",
	},
	fleet.FacetKey:    {"Microsoft.KeyVault/managedHSMs", "Microsoft.KeyVault/vaults"},
	fleet.FacetBackup: {"Microsoft.Compute/restorePointCollections", "Microsoft.Compute/snapshots", "Microsoft.DataProtection/backupVaults", "Microsoft.RecoveryServices/vaults"},
}

// azure writes an ARM template of definitions, assignments and exemptions.
func (c *Compiler) azure() (Output, error) {
	partition := c.input.Azure.Partition
	if partition == "" {
		partition = "azure"
	}
	p, err := c.purposeIn("azure", partition)
	if err != nil {
		return Output{}, err
	}
	if !slices.ContainsFunc(c.input.Catalog.Regions(), p.inPartition) {
		return Output{}, fleet.Errorf(fleet.ErrInvalid, "%q is no partition of Azure", partition).At(fleet.Position{}, "azure.partition").
			Advise("want azure, AzureUSGovernment or AzureChinaCloud")
	}
	bare := p.without(true, "")
	made := newTemplate(c.input.Azure.ManagementGroup)
	if err := made.assign(bare, p.enlarges(bare)); err != nil {
		return Output{}, err
	}
	shrinking, err := bare.shrinking()
	if err != nil {
		return Output{}, err
	}
	residual := append(p.otherPartitions("a subscription"), shrinking...)
	if err := made.exempt(p, bare); err != nil {
		return Output{}, err
	}
	content, err := json.MarshalIndent(made, "", "  ")
	if err != nil {
		return Output{}, fleet.Errorf(fleet.ErrInternal, "encode the template: %w", err)
	}
	return Output{
		Files:    []File{{Path: "residency.json", Content: append(content, '\n')}},
		Residual: append(append(residual, p.excepted("the subscription")...), c.residual(azureLimits)...),
	}, nil
}

// shrinking says what the assignments allow for a time only, of all facets
// together and of each.
func (p *purpose) shrinking() ([]Residual, error) {
	steps, err := p.steps(p.any)
	if err != nil {
		return nil, err
	}
	list := ending(steps)
	for _, facet := range p.facets {
		if steps, err = p.steps(only(facet)); err != nil {
			return nil, err
		}
		for _, end := range ending(steps) {
			if !slices.Contains(list, end) {
				end.Facet = facet
				list = append(list, end)
			}
		}
	}
	return list, nil
}

// enlarges reports whether exceptions let anything be in more regions than
// anything may be without them.
func (p *purpose) enlarges(bare *purpose) bool {
	return len(p.gained(bare.allowed(moment{p.input.At, p.rules}))[""]) > 0
}

// assign adds what holds for everybody: the locations of all facets, of each
// that has fewer, and no copies in pairs where they may not be. What exceptions
// take off the locations of all facets, those of each have to keep.
func (t *armTemplate) assign(p *purpose, excepted bool) error {
	sets := p.allowed(moment{p.input.At, p.rules})
	anywhere := p.ids(p.any(sets))
	if len(anywhere) == 0 {
		return p.nowhere("may the data be")
	}
	t.assignBuiltIn("residency-locations", "Residency: locations", allowedLocations, parameter{"listOfAllowedLocations": value(anywhere)}, nil)
	t.assignBuiltIn("residency-groups", "Residency: locations of resource groups", allowedGroupLocations, parameter{"listOfAllowedLocations": value(anywhere)}, nil)
	for _, facet := range p.facets {
		allowed := p.ids(sets[facet])
		if types := typesOf[facet]; len(types) > 0 && (excepted || !slices.Equal(allowed, anywhere)) {
			t.assignOwn("residency-"+string(facet), "Residency: "+string(facet), typeLocations, parameter{"types": value(types), "locations": value(allowed)})
		}
	}
	if storage, copied := sets[fleet.FacetStorage]; copied {
		t.assignPairs(anywhere, p.pairsAllowed(sets, storage))
	}
	return nil
}

// pairsAllowed are the regions whose pair may have what is stored there.
func (p *purpose) pairsAllowed(sets map[fleet.Facet]residency.Set, storage residency.Set) []string {
	replicas, asked := sets[fleet.FacetReplica]
	var fine residency.Set
	for place := range storage.Each {
		pair, known := p.input.Catalog.Pair(place)
		if known && storage.Has(pair) && (!asked || replicas.Has(pair)) {
			fine.Add(place)
		}
	}
	return p.ids(fine)
}

func (t *armTemplate) assignPairs(anywhere, fine []string) {
	t.assignOwn("residency-geo", "Residency: no copies in replica pairs", geoRedundancy, parameter{"locations": value(fine)})
	refused := slices.DeleteFunc(slices.Clone(anywhere), func(id string) bool { return slices.Contains(fine, id) })
	if len(refused) > 0 {
		t.assignBuiltIn("residency-sql-backup", "Residency: no copies of SQL backups in replica pairs", noGeoBackupsOfSQL, parameter{"effect": value("Deny")}, locationsOf(refused, fine))
	}
}

// exempt adds an exemption for each exception that lets something be in more
// regions, for these regions and until it ends.
func (t *armTemplate) exempt(p, bare *purpose) error {
	before := bare.allowed(moment{p.input.At, p.rules})
	for _, subject := range p.subjects {
		for _, exception := range subject.Exceptions {
			ends, err := residency.Ends(exception.Spec.Period, time.UTC)
			if err != nil {
				return err
			}
			gained := p.without(false, exception.Name).gained(before)
			for _, facet := range slices.Sorted(maps.Keys(gained)) {
				for _, assignment := range refusedBy(facet) {
					if t.assigned(assignment) {
						t.exemptions(exception, assignment, gained[facet], ends)
					}
				}
			}
		}
	}
	return nil
}

// refusedBy are the assignments that keep a facet, or everything, out.
func refusedBy(facet fleet.Facet) []string {
	if facet == "" {
		return []string{"residency-groups", "residency-locations"}
	}
	return []string{"residency-" + string(facet)}
}

// exemptionName fits into the 64 characters a name may have, of those that it
// may have.
func exemptionName(exception, assignment string) string {
	wanted := assignment + "-" + exception
	name := strings.NewReplacer(".", "-", "/", "-").Replace(wanted)
	if name == wanted && len(name) <= 64 {
		return name
	}
	return name[:min(len(name), 55)] + "-" + shortSum(exception)
}
