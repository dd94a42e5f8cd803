package baseline

import (
	"net/http"

	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// FieldManager is the name under which baselines own fields of objects.
const FieldManager = "meridian-fleet"

// What baselines write on their objects.
const (
	LabelBaseline       = "meridian.dev/baseline"  // name of the baseline an object belongs to
	AnnotationComponent = "meridian.dev/component" // component it belongs to
	AnnotationDigest    = "meridian.dev/digest"    // of the object as it was wanted
	// AnnotationReplace, with the value "true", lets an object be deleted and
	// made anew when a change of it is not possible otherwise.
	AnnotationReplace = "meridian.dev/replace"
)

// concurrency bounds the requests a run has under way on one cluster.
const concurrency = 24

// Cluster is a connection to one cluster. It is safe for concurrent use and
// meant to be kept: connections and what is known of the cluster's kinds are
// reused.
type Cluster struct {
	client  *client
	dynamic dynamic.Interface // for watches
	kinds   *kinds
}

// Connect makes a Cluster. Nothing is sent yet.
func Connect(config *rest.Config) (*Cluster, error) {
	config = rest.CopyConfig(config)
	config.QPS = -1 // the API server's priority and fairness is the limit
	config.UserAgent = FieldManager
	config.WarningHandler = rest.NoWarnings{}
	config.ContentType, config.AcceptContentTypes = "application/json", "application/json"
	config.NegotiatedSerializer = scheme.Codecs.WithoutConversion()
	httpClient, err := rest.HTTPClientFor(config)
	if err != nil {
		return nil, connectFault(err)
	}
	return connect(config, httpClient)
}

func connect(config *rest.Config, httpClient *http.Client) (*Cluster, error) {
	plain, err := rest.UnversionedRESTClientForConfigAndClient(config, httpClient)
	if err != nil {
		return nil, connectFault(err)
	}
	watches, err := dynamic.NewForConfigAndClient(config, httpClient)
	if err != nil {
		return nil, connectFault(err)
	}
	discoverer, err := discovery.NewDiscoveryClientForConfigAndClient(config, httpClient)
	if err != nil {
		return nil, connectFault(err)
	}
	return &Cluster{client: &client{rest: plain}, dynamic: watches, kinds: &kinds{discovery: discoverer}}, nil
}

func connectFault(err error) error {
	return fleet.Errorf(fleet.ErrInvalid, "connect to the cluster: %w", err).Advise("check its kubeconfig")
}
