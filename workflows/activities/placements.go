package activities

import (
	"cmp"
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/inventory"
	"github.com/meridian-fleet/meridian/workflows"
)

// Labels by which pods and volumes say what data they have to do with.
const (
	classLabel    = "meridian.dev/data-class"
	datasetLabel  = "meridian.dev/dataset"
	workloadLabel = "meridian.dev/workload"
)

// Holdings are what a cluster has that may hold data.
type Holdings struct {
	Pods    []corev1.Pod // their metadata
	Claims  []corev1.PersistentVolumeClaim
	Volumes []corev1.PersistentVolume
	Classes []storagev1.StorageClass
}

// Holder looks into clusters; see Holdings and ClusterHoldings.
type Holder interface {
	// Holdings of a cluster that carry one of our labels.
	Holdings(ctx context.Context, cluster string) (Holdings, error)
}

// DiscoverPlacements records where labelled data is in clusters. A cluster
// that cannot be reached keeps what was last seen in it.
func (a *Activities) DiscoverPlacements(ctx context.Context, input workflows.DriftInput) (workflows.DiscoverySummary, error) {
	clusters, err := a.named(ctx, input.Clusters)
	if err != nil {
		return workflows.DiscoverySummary{}, err
	}
	summary := workflows.DiscoverySummary{Unreachable: map[string]string{}}
	for _, cluster := range clusters {
		if cluster.status.Phase != fleet.ClusterReady {
			continue
		}
		found, err := a.discover(ctx, cluster)
		switch {
		case ctx.Err() != nil:
			return summary, ctx.Err()
		case err != nil:
			summary.Unreachable[cluster.meta.Name] = err.Error()
		default:
			summary.Looked, summary.Placements = summary.Looked+1, summary.Placements+found
		}
	}
	return summary, nil
}

func (a *Activities) discover(ctx context.Context, cluster cluster) (int, error) {
	limited, cancel := context.WithTimeout(ctx, compareTimeout)
	defer cancel()
	holdings, err := a.Holder.Holdings(limited, cluster.meta.Name)
	if err != nil {
		return 0, err
	}
	known, err := a.knownPlacements(ctx, cluster.meta.Name)
	if err != nil {
		return 0, err
	}
	var resources []fleet.Resource
	for _, placement := range placementsOf(cluster.meta.Name, cluster.spec.Region, holdings) {
		placement.carryOn(known)
		resource, err := fleet.NewResource(fleet.KindPlacement, placement.name, placement.spec, nil)
		if err != nil {
			return 0, err
		}
		resources = append(resources, resource)
	}
	err = a.Inventory.ReplaceOwned(ctx, workflows.DriftID, fleet.KindPlacement, cluster.meta.Name, resources)
	if errors.Is(err, fleet.ErrNotFound) { // the cluster was removed meanwhile
		err = nil
	}
	return len(resources), err
}

// knownPlacements are those last found in a cluster, by name.
func (a *Activities) knownPlacements(ctx context.Context, cluster string) (map[string]fleet.PlacementSpec, error) {
	recorded, err := a.Inventory.List(ctx, fleet.KindPlacement, inventory.Query{Owner: cluster})
	if err != nil {
		return nil, err
	}
	known := map[string]fleet.PlacementSpec{}
	for _, one := range recorded {
		if known[one.Metadata.Name], err = fleet.SpecOf[fleet.PlacementSpec](one); err != nil {
			return nil, err
		}
	}
	return known, nil
}

// named placements, so that the same finding keeps its name.
type placement struct {
	name string
	pods bool // whatever pods there are with the same labels
	spec fleet.PlacementSpec
}

// carryOn lets pods be there since the first of them was found: their
// successors make no new placement.
func (p *placement) carryOn(known map[string]fleet.PlacementSpec) {
	before, found := known[p.name]
	if !found || !p.pods || before.From >= p.spec.From {
		return
	}
	continued := p.spec
	if continued.From = before.From; reflect.DeepEqual(before, continued) {
		p.spec = continued
	}
}

// placementsOf turns what is in a cluster into placements: one for each volume
// claim and for each volume that says itself what data it holds, and one for
// all pods of a namespace with the same labels, as pods come and go without
// anything being moved.
func placementsOf(cluster, region string, holdings Holdings) []placement {
	geoRedundant := map[string]bool{}
	for _, class := range holdings.Classes {
		geoRedundant[class.Name] = isGeoRedundant(class)
	}
	byName := map[string]placement{}
	for _, claim := range holdings.Claims {
		spec := labelled(claim.Labels)
		spec.Facets, spec.Store = []fleet.Facet{fleet.FacetStorage}, "PersistentVolumeClaim "+claim.Namespace+"/"+claim.Name
		if claim.Spec.StorageClassName != nil {
			spec.GeoRedundant = geoRedundant[*claim.Spec.StorageClassName]
		}
		add(byName, placement{name: cluster + "/PersistentVolumeClaim/" + claim.Namespace + "/" + claim.Name, spec: spec}, claim.CreationTimestamp.Time)
	}
	for _, volume := range holdings.Volumes {
		spec := labelled(volume.Labels)
		spec.Facets, spec.Store = []fleet.Facet{fleet.FacetStorage}, "PersistentVolume "+volume.Name
		spec.GeoRedundant = geoRedundant[volume.Spec.StorageClassName]
		add(byName, placement{name: cluster + "/PersistentVolume/" + volume.Name, spec: spec}, volume.CreationTimestamp.Time)
	}
	for _, pod := range holdings.Pods {
		if pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed {
			continue
		}
		spec := labelled(pod.Labels)
		spec.Facets, spec.Store = []fleet.Facet{fleet.FacetProcessing}, "Pods "+pod.Namespace+"/*"
		add(byName, placement{name: cluster + "/Pods/" + pod.Namespace + "/" + groupOf(pod.Labels), pods: true, spec: spec}, pod.CreationTimestamp.Time)
	}
	placements := make([]placement, 0, len(byName))
	for _, one := range byName {
		one.spec.Region, one.spec.Cluster, one.spec.Source = region, cluster, fleet.SourceObserved
		placements = append(placements, one)
	}
	slices.SortFunc(placements, func(a, b placement) int { return cmp.Compare(a.name, b.name) })
	return placements
}

// add keeps the earliest beginning of what has the same name.
func add(byName map[string]placement, one placement, since time.Time) {
	one.spec.From = since.UTC().Format(time.RFC3339)
	if before, ok := byName[one.name]; ok && before.spec.From < one.spec.From {
		one.spec.From = before.spec.From
	}
	byName[one.name] = one
}

// labelled reads whose data it is from labels. A dataset says more than a
// workload, which says more than classes alone; classes are kept in any case.
func labelled(labels map[string]string) fleet.PlacementSpec {
	spec := fleet.PlacementSpec{Classes: classesOf(labels)}
	switch {
	case labels[datasetLabel] != "":
		spec.Subject = fleet.Ref{Kind: fleet.KindDataset, Name: labels[datasetLabel]}
	case labels[workloadLabel] != "":
		spec.Subject = fleet.Ref{Kind: fleet.KindWorkload, Name: labels[workloadLabel]}
	}
	return spec
}

// classesOf reads the classes of the label and of its numbered siblings
// (meridian.dev/data-class.2), as a label has one value.
func classesOf(labels map[string]string) []string {
	var classes []string
	for key, value := range labels {
		if namesClass(key) {
			classes = append(classes, value)
		}
	}
	slices.Sort(classes)
	return slices.Compact(classes)
}

func namesClass(key string) bool { return key == classLabel || strings.HasPrefix(key, classLabel+".") }

// ours reports whether labels say what data something has to do with.
func ours(labels map[string]string) bool {
	for key := range labels {
		if key == datasetLabel || key == workloadLabel || namesClass(key) {
			return true
		}
	}
	return false
}

// groupOf names pods with the same labels of ours.
func groupOf(labels map[string]string) string {
	parts := []string{cmp.Or(labels[datasetLabel], "-"), cmp.Or(labels[workloadLabel], "-")}
	return strings.Join(append(parts, classesOf(labels)...), "/")
}

// isGeoRedundant reads whether volumes of a class are copied to the region's
// pair: Azure's file and disk drivers take the redundancy in these parameters
// (azurefile-csi-driver and azuredisk-csi-driver, driver-parameters.md).
func isGeoRedundant(class storagev1.StorageClass) bool {
	for key, value := range class.Parameters {
		switch strings.ToLower(key) {
		case "skuname", "storageaccounttype":
			sku := strings.ToUpper(value)
			return strings.Contains(sku, "GRS") || strings.Contains(sku, "GZRS")
		}
	}
	return false
}
