package controlplane

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apiserver/pkg/authentication/serviceaccount"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"

	"github.com/meridian-fleet/meridian/internal/sandbox/kubebox/internal/credentials"
	"github.com/meridian-fleet/meridian/internal/sandbox/kubebox/internal/podprogram"
)

// programRetry is the pause after a program could not be started, as a container
// that crashes is held back.
const programRetry = 5 * time.Second

// programs runs what running pods stand for. All its state belongs to the
// goroutine of run.
type programs struct {
	cluster *cluster
	client  kubernetes.Interface
	pods    cache.Store
	changed chan struct{}
	failed  chan podprogram.Scheduler
	running map[podprogram.Scheduler]context.CancelFunc
}

// startPrograms follows the pods of the cluster and runs the schedulers among
// them.
func (c *cluster) startPrograms(ctx context.Context) error {
	client, err := c.client(credentials.Kubelets)
	if err != nil {
		return err
	}
	factory := informers.NewSharedInformerFactoryWithOptions(client, 0,
		informers.WithTransform(onlySchedulers),
		informers.WithTweakListOptions(func(options *metav1.ListOptions) {
			options.FieldSelector = fields.OneTermEqualSelector("status.phase", string(corev1.PodRunning)).String()
		}))
	informer := factory.Core().V1().Pods().Informer()
	p := &programs{
		cluster: c,
		client:  client,
		pods:    informer.GetStore(),
		changed: make(chan struct{}, 1),
		failed:  make(chan podprogram.Scheduler),
		running: map[podprogram.Scheduler]context.CancelFunc{},
	}
	notify := func() {
		select {
		case p.changed <- struct{}{}:
		default: // a notice is waiting
		}
	}
	_, err = informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(any) { notify() },
		UpdateFunc: func(_, _ any) { notify() },
		DeleteFunc: func(any) { notify() },
	})
	if err != nil {
		return err
	}
	factory.Start(ctx.Done())
	go p.run(ctx)
	return nil
}

// onlySchedulers keeps of other pods no more than their names.
func onlySchedulers(object any) (any, error) {
	pod, ok := object.(*corev1.Pod)
	if !ok {
		return object, nil
	}
	if _, found := podprogram.FindScheduler(pod); found {
		return pod, nil
	}
	return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{
		Namespace: pod.Namespace, Name: pod.Name, UID: pod.UID, ResourceVersion: pod.ResourceVersion,
	}}, nil
}

func (p *programs) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-p.changed:
		case failed := <-p.failed:
			p.running[failed]()
			delete(p.running, failed)
		}
		p.reconcile(ctx)
	}
}

func (p *programs) reconcile(ctx context.Context) {
	wanted := map[podprogram.Scheduler]bool{}
	for _, object := range p.pods.List() {
		pod, ok := object.(*corev1.Pod)
		if !ok || pod.DeletionTimestamp != nil {
			continue
		}
		if scheduler, found := podprogram.FindScheduler(pod); found {
			wanted[scheduler] = true
		}
	}
	for scheduler, stop := range p.running {
		if !wanted[scheduler] {
			stop()
			delete(p.running, scheduler)
		}
	}
	for scheduler := range wanted {
		if _, running := p.running[scheduler]; !running {
			p.start(ctx, scheduler)
		}
	}
}

// start runs a scheduler beside the reconciliation, which hears of its failure
// after a pause.
func (p *programs) start(ctx context.Context, scheduler podprogram.Scheduler) {
	running, stop := context.WithCancel(ctx)
	p.running[scheduler] = stop
	go func() {
		err := p.schedule(running, scheduler)
		if err == nil || running.Err() != nil {
			return
		}
		klog.ErrorS(err, "A pod's scheduler does not start", "namespace", scheduler.Namespace, "configMap", scheduler.ConfigMap)
		select {
		case <-running.Done():
			return
		case <-time.After(programRetry):
		}
		select {
		case <-running.Done():
		case p.failed <- scheduler:
		}
	}()
}

// schedule runs a scheduler with its pod's configuration and rights.
func (p *programs) schedule(ctx context.Context, scheduler podprogram.Scheduler) error {
	configMap, err := p.client.CoreV1().ConfigMaps(scheduler.Namespace).Get(ctx, scheduler.ConfigMap, metav1.GetOptions{})
	if err != nil {
		return err
	}
	content, found := configMap.Data[scheduler.Key]
	if !found {
		return fmt.Errorf("ConfigMap %s has no key %s", scheduler.ConfigMap, scheduler.Key)
	}
	configuration, err := parseSchedulerConfiguration(content)
	if err != nil {
		return err
	}
	clientConfig, err := p.cluster.serviceAccountConfig(scheduler.Namespace, scheduler.ServiceAccount)
	if err != nil {
		return err
	}
	return runScheduler(ctx, clientConfig, configuration)
}

// serviceAccountConfig acts as a service account.
func (c *cluster) serviceAccountConfig(namespace, name string) (*rest.Config, error) {
	config, err := c.clientConfig(credentials.Kubelets)
	if err != nil {
		return nil, err
	}
	config.Impersonate = rest.ImpersonationConfig{
		UserName: serviceaccount.MakeUsername(namespace, name),
		Groups:   append(serviceaccount.MakeGroupNames(namespace), user.AllAuthenticated),
	}
	return config, nil
}
