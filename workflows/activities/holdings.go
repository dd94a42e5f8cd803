package activities

import (
	"context"
	"errors"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// holdingsPage bounds how much a cluster sends at once.
const holdingsPage = 500

// ClusterHoldings looks into clusters through their API servers.
type ClusterHoldings struct{ Credentials Credentials }

// Holdings implements Holder.
func (c ClusterHoldings) Holdings(ctx context.Context, cluster string) (Holdings, error) {
	config, err := c.Credentials.RESTConfig(ctx, cluster)
	if err != nil {
		return Holdings{}, err
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return Holdings{}, fleet.Errorf(fleet.ErrInvalid, "its kubeconfig: %w", err).On("Cluster " + cluster)
	}
	holdings, err := look(ctx, client)
	if err != nil {
		return Holdings{}, fleet.Errorf(fleet.ErrUnavailable, "what data it holds could not be read: %w", err).On("Cluster " + cluster)
	}
	return holdings, nil
}

func look(ctx context.Context, client kubernetes.Interface) (Holdings, error) {
	var found Holdings
	for _, selector := range []string{classLabel, datasetLabel + ",!" + classLabel, workloadLabel + ",!" + datasetLabel + ",!" + classLabel} {
		err := errors.Join(
			pages(selector, func(options metav1.ListOptions) (string, error) {
				list, err := client.CoreV1().Pods(metav1.NamespaceAll).List(ctx, options)
				if err == nil {
					found.Pods = append(found.Pods, list.Items...)
				}
				return list.GetContinue(), err
			}),
			pages(selector, func(options metav1.ListOptions) (string, error) {
				list, err := client.CoreV1().PersistentVolumeClaims(metav1.NamespaceAll).List(ctx, options)
				if err == nil {
					found.Claims = append(found.Claims, list.Items...)
				}
				return list.GetContinue(), err
			}))
		if err != nil {
			return found, err
		}
	}
	classes, err := client.StorageV1().StorageClasses().List(ctx, metav1.ListOptions{})
	if err == nil {
		found.Classes = classes.Items
	}
	return found, err
}

func pages(selector string, list func(metav1.ListOptions) (next string, err error)) error {
	options := metav1.ListOptions{LabelSelector: selector, Limit: holdingsPage}
	for {
		next, err := list(options)
		if err != nil || next == "" {
			return err
		}
		options.Continue = next
	}
}
