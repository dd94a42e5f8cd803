package controlplane

import (
	"context"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/events"
	"k8s.io/kubernetes/pkg/scheduler"
	"k8s.io/kubernetes/pkg/scheduler/apis/config"
	"k8s.io/kubernetes/pkg/scheduler/apis/config/latest"
	"k8s.io/kubernetes/pkg/scheduler/profile"

	"github.com/meridian-fleet/meridian/internal/sandbox/kubebox/internal/credentials"
)

// schedulerParallelism suits clusters of tens of nodes.
const schedulerParallelism = 2

func (c *cluster) startScheduler(ctx context.Context) error {
	defaults, err := latest.Default()
	if err != nil {
		return err
	}
	clientConfig, err := c.clientConfig(credentials.Scheduler)
	if err != nil {
		return err
	}
	return runScheduler(ctx, clientConfig, defaults)
}

// runScheduler serves the profiles of a configuration until ctx ends. It
// returns when it has begun to.
func runScheduler(ctx context.Context, clientConfig *rest.Config, configuration *config.KubeSchedulerConfiguration) error {
	client, err := kubernetes.NewForConfig(clientConfig)
	if err != nil {
		return err
	}
	informers := scheduler.NewInformerFactory(client, 0)
	recorder := events.NewBroadcaster(&events.EventSinkImpl{Interface: client.EventsV1()})
	if err := recorder.StartRecordingToSinkWithContext(ctx); err != nil {
		return err
	}
	instance, err := scheduler.New(ctx, client, informers, nil, profile.NewRecorderFactory(recorder),
		scheduler.WithKubeConfig(clientConfig),
		scheduler.WithProfiles(configuration.Profiles...),
		scheduler.WithParallelism(schedulerParallelism))
	if err != nil {
		return err
	}
	informers.Start(ctx.Done())
	informers.WaitForCacheSync(ctx.Done())
	if err := instance.WaitForHandlersSync(ctx); err != nil {
		return err
	}
	go instance.Run(ctx)
	return nil
}
