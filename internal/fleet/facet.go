package fleet

// Facet is what is done to data at a place.
type Facet string

// The facets.
const (
	FacetStorage    Facet = "storage"    // held at rest
	FacetProcessing Facet = "processing" // computed on
	FacetKey        Facet = "key"        // its encryption keys are held
	FacetAccess     Facet = "access"     // looked at by people: support, operators
	FacetBackup     Facet = "backup"     // backed up to
	FacetReplica    Facet = "replica"    // replicated to
	FacetTelemetry  Facet = "telemetry"  // logs, traces and metrics that carry it
	FacetMetadata   Facet = "metadata"   // names, tags and catalogs about it
	FacetTransit    Facet = "transit"    // passes through
)

// Facets lists the facets, in the order tables show them.
var Facets = []Facet{
	FacetStorage, FacetProcessing, FacetKey, FacetAccess, FacetBackup, FacetReplica, FacetTelemetry, FacetMetadata, FacetTransit,
}

// CopyFacets are the facets under which a place has a copy of the data.
var CopyFacets = []Facet{FacetStorage, FacetBackup, FacetReplica}

// FactSource is where a fact comes from. The order is that of trust:
// declared < observed < attested.
type FactSource string

// The sources.
const (
	SourceDeclared FactSource = "declared" // somebody wrote it into a document
	SourceObserved FactSource = "observed" // read from the cloud or the cluster
	SourceAttested FactSource = "attested" // somebody accountable vouched for it, with a reference
)

// FactSources lists the sources, the weakest first.
var FactSources = []FactSource{SourceDeclared, SourceObserved, SourceAttested}

// AtLeast reports whether a source is as good as another; no source is only
// as good as none, and an unknown one is worse than any.
func (s FactSource) AtLeast(minimum FactSource) bool {
	if minimum == "" {
		return true
	}
	return s.rank() >= minimum.rank() && minimum.rank() >= 0
}

func (s FactSource) rank() int {
	for rank, source := range FactSources {
		if s == source {
			return rank
		}
	}
	return -1
}
