package clusterapi

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/meridian-fleet/meridian/internal/sandbox/crds"
)

// InstallDefinitions creates or updates every custom resource definition and
// waits until the API server serves them.
func InstallDefinitions(ctx context.Context, config *rest.Config) error {
	definitions, err := crds.All()
	if err != nil {
		return err
	}
	api, err := client.New(unthrottled(config), client.Options{Scheme: scheme})
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	for _, definition := range definitions {
		group.Go(func() error {
			if err := persist(ctx, func(ctx context.Context) error { return install(ctx, api, definition) }); err != nil {
				return fmt.Errorf("definition %s: %w", definition.Name, err)
			}
			return nil
		})
	}
	return group.Wait()
}

func install(ctx context.Context, api client.Client, want *apiextensionsv1.CustomResourceDefinition) error {
	live := &apiextensionsv1.CustomResourceDefinition{ObjectMeta: metav1.ObjectMeta{Name: want.Name}}
	_, err := controllerutil.CreateOrUpdate(ctx, api, live, func() error {
		live.Labels = want.Labels
		live.Spec = want.Spec
		return nil
	})
	if err != nil {
		return err
	}
	if !established(live) {
		return errNotEstablished
	}
	return nil
}

var errNotEstablished = errors.New("the API server does not serve it yet")

const (
	retryInterval = 50 * time.Millisecond
	retryTimeout  = 2 * time.Minute
)

// persist repeats a write until it succeeds: a control plane that has just started
// may restart, or refuse for a moment. What the API server calls invalid stays so.
func persist(ctx context.Context, write func(context.Context) error) error {
	var last error
	err := wait.PollUntilContextTimeout(ctx, retryInterval, retryTimeout, true, func(ctx context.Context) (bool, error) {
		last = write(ctx)
		if apierrors.IsInvalid(last) || apierrors.IsBadRequest(last) || apierrors.IsForbidden(last) {
			return false, last
		}
		return last == nil, nil
	})
	if err != nil && last != nil && ctx.Err() == nil {
		return last
	}
	return err
}

func established(definition *apiextensionsv1.CustomResourceDefinition) bool {
	for _, condition := range definition.Status.Conditions {
		if condition.Type == apiextensionsv1.Established {
			return condition.Status == apiextensionsv1.ConditionTrue
		}
	}
	return false
}
