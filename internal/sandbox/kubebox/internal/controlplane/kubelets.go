package controlplane

import (
	"context"
	"fmt"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"
	nodefast "sigs.k8s.io/kwok/kustomize/stage/node/fast"
	nodeheartbeat "sigs.k8s.io/kwok/kustomize/stage/node/heartbeat-with-lease"
	podfast "sigs.k8s.io/kwok/kustomize/stage/pod/fast"
	"sigs.k8s.io/kwok/pkg/apis/internalversion"
	kwokconfig "sigs.k8s.io/kwok/pkg/config"
	kwok "sigs.k8s.io/kwok/pkg/kwok/controllers"
	kwokclient "sigs.k8s.io/kwok/pkg/utils/client"

	"github.com/meridian-fleet/meridian/internal/sandbox/kubebox/internal/credentials"
)

const (
	// A node with this annotation is simulated. Taking it away silences the
	// node as a lost machine would be.
	simulatedNodes = "kwok.x-k8s.io/node=fake"

	// A node that sets neither its pod range nor its address gets these.
	podRange    = "10.244.0.0/16"
	nodeAddress = "172.16.0.1"

	kubeletParallelism   = 4
	leaseDurationSeconds = 40
)

// startKubelets simulates the kubelet of every node that asks for it: the node
// becomes Ready and pods bound to it run.
func (c *cluster) startKubelets(ctx context.Context) error {
	config, err := c.kwokConfig()
	if err != nil {
		return err
	}
	controller, err := kwok.NewController(config)
	if err != nil {
		return err
	}
	return controller.Start(ctx)
}

func (c *cluster) kwokConfig() (kwok.Config, error) {
	config := kwok.Config{
		Clock:                             clock.RealClock{},
		ID:                                "kubebox",
		ManageNodesWithAnnotationSelector: simulatedNodes,
		CIDR:                              podRange,
		NodeIP:                            nodeAddress,
		PodPlayStageParallelism:           kubeletParallelism,
		NodePlayStageParallelism:          kubeletParallelism,
		NodeLeaseParallelism:              kubeletParallelism,
		PodsOnNodeSyncParallelism:         kubeletParallelism,
		NodeLeaseDurationSeconds:          leaseDurationSeconds,
	}
	stages, err := stages()
	if err != nil {
		return config, err
	}
	config.LocalStages = stages
	return config, c.connectKWOK(&config)
}

// connectKWOK gives KWOK the five kinds of client it takes.
func (c *cluster) connectKWOK(config *kwok.Config) error {
	kubeconfig, err := c.kubeconfigFile(credentials.Kubelets, "kubelets")
	if err != nil {
		return err
	}
	clients, err := kwokclient.NewClientset("", kubeconfig)
	if err != nil {
		return err
	}
	clientConfig, err := clients.ToRESTConfig()
	if err != nil {
		return err
	}
	if config.RESTClient, err = rest.RESTClientFor(clientConfig); err != nil {
		return err
	}
	if config.TypedClient, err = kubernetes.NewForConfig(clientConfig); err != nil {
		return err
	}
	if config.DynamicClient, err = clients.ToDynamicClient(); err != nil {
		return err
	}
	if config.RESTMapper, err = clients.ToRESTMapper(); err != nil {
		return err
	}
	config.ImpersonatingDynamicClient = clients.ToImpersonatingDynamicClient()
	config.ImpersonatingTypedClient = clients.ToImpersonatingTypedClient()
	return nil
}

// stages are the steps a simulated node or pod goes through.
func stages() (map[internalversion.StageResourceRef][]*internalversion.Stage, error) {
	documents := []string{
		nodefast.DefaultNodeInit,
		nodeheartbeat.DefaultNodeHeartbeatWithLease,
		podfast.DefaultPodReady,
		podfast.DefaultPodComplete,
		podfast.DefaultPodDelete,
	}
	stages := map[internalversion.StageResourceRef][]*internalversion.Stage{}
	for _, document := range documents {
		stage, err := kwokconfig.UnmarshalWithType[*internalversion.Stage](document)
		if err != nil {
			return nil, fmt.Errorf("stage: %w", err)
		}
		stages[stage.Spec.ResourceRef] = append(stages[stage.Spec.ResourceRef], stage)
	}
	return stages, nil
}
