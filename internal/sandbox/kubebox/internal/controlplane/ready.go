package controlplane

import (
	"context"
	"fmt"
	"net/http"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
)

const (
	pollInterval = 50 * time.Millisecond
	readyTimeout = 3 * time.Minute
)

// awaitAPIServer returns when the API server says that it is ready.
func awaitAPIServer(ctx context.Context, client kubernetes.Interface) error {
	return await(ctx, "/readyz", func(ctx context.Context) error {
		var status int
		answer := client.Discovery().RESTClient().Get().AbsPath("/readyz").Do(ctx).StatusCode(&status)
		if err := answer.Error(); err != nil {
			return err
		}
		if status != http.StatusOK {
			return fmt.Errorf("status %d", status)
		}
		return nil
	})
}

// awaitNamespaces returns when pods can be created in the namespaces that every
// cluster has, which takes the controllers that make their service accounts.
func awaitNamespaces(ctx context.Context, client kubernetes.Interface) error {
	for _, namespace := range []string{metav1.NamespaceDefault, metav1.NamespaceSystem} {
		err := await(ctx, "namespace "+namespace, func(ctx context.Context) error {
			_, err := client.CoreV1().ServiceAccounts(namespace).Get(ctx, "default", metav1.GetOptions{})
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func await(ctx context.Context, what string, try func(context.Context) error) error {
	var lastError error
	err := wait.PollUntilContextTimeout(ctx, pollInterval, readyTimeout, true, func(ctx context.Context) (bool, error) {
		lastError = try(ctx)
		return lastError == nil, nil
	})
	if err != nil {
		return fmt.Errorf("%s is not ready: %w (last answer: %w)", what, err, lastError)
	}
	return nil
}
