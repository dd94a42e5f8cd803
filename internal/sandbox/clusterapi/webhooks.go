package clusterapi

import (
	"context"
	"strings"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/utils/ptr"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
)

// admitted is a kind with webhooks. The table says what Cluster API's own
// core/config/webhook/manifests.yaml says of these kinds.
type admitted struct {
	kind, resource string
	defaulted      bool
	onDelete       bool // deletion is validated too
}

var admittedKinds = []admitted{
	{kind: "cluster", resource: "clusters", defaulted: true, onDelete: true},
	{kind: "machine", resource: "machines", defaulted: true},
	{kind: "machineset", resource: "machinesets", defaulted: true},
	{kind: "machinedeployment", resource: "machinedeployments", defaulted: true},
	{kind: "machinehealthcheck", resource: "machinehealthchecks", defaulted: true},
	{kind: "machinepool", resource: "machinepools", defaulted: true},
	{kind: "machinedrainrule", resource: "machinedrainrules"},
}

const configurationName = "cluster-api"

// configureWebhooks points the API server at this process's webhooks.
func configureWebhooks(ctx context.Context, config *rest.Config, server *webhookServer) error {
	api, err := client.New(config, client.Options{Scheme: scheme})
	if err != nil {
		return err
	}
	mutating := &admissionv1.MutatingWebhookConfiguration{ObjectMeta: metav1.ObjectMeta{Name: configurationName}}
	validating := &admissionv1.ValidatingWebhookConfiguration{ObjectMeta: metav1.ObjectMeta{Name: configurationName}}
	return persist(ctx, func(ctx context.Context) error {
		_, err := controllerutil.CreateOrUpdate(ctx, api, mutating, func() error {
			mutating.Webhooks = mutatingWebhooks(server)
			return nil
		})
		if err != nil {
			return err
		}
		_, err = controllerutil.CreateOrUpdate(ctx, api, validating, func() error {
			validating.Webhooks = validatingWebhooks(server)
			return nil
		})
		return err
	})
}

func mutatingWebhooks(server *webhookServer) []admissionv1.MutatingWebhook {
	var webhooks []admissionv1.MutatingWebhook
	for _, kind := range admittedKinds {
		if !kind.defaulted {
			continue
		}
		webhooks = append(webhooks, admissionv1.MutatingWebhook{
			Name:                    "default." + kind.kind + ".cluster.x-k8s.io",
			ClientConfig:            clientConfig(server, "mutate", kind.kind),
			Rules:                   rules(kind.resource, false),
			FailurePolicy:           ptr.To(admissionv1.Fail),
			MatchPolicy:             ptr.To(admissionv1.Equivalent),
			SideEffects:             ptr.To(admissionv1.SideEffectClassNone),
			AdmissionReviewVersions: []string{"v1"},
		})
	}
	return webhooks
}

func validatingWebhooks(server *webhookServer) []admissionv1.ValidatingWebhook {
	var webhooks []admissionv1.ValidatingWebhook
	for _, kind := range admittedKinds {
		webhooks = append(webhooks, admissionv1.ValidatingWebhook{
			Name:                    "validation." + kind.kind + ".cluster.x-k8s.io",
			ClientConfig:            clientConfig(server, "validate", kind.kind),
			Rules:                   rules(kind.resource, kind.onDelete),
			FailurePolicy:           ptr.To(admissionv1.Fail),
			MatchPolicy:             ptr.To(admissionv1.Equivalent),
			SideEffects:             ptr.To(admissionv1.SideEffectClassNone),
			AdmissionReviewVersions: []string{"v1"},
		})
	}
	return webhooks
}

// clientConfig names the path controller-runtime gives a kind's webhook.
func clientConfig(server *webhookServer, verb, kind string) admissionv1.WebhookClientConfig {
	group := strings.ReplaceAll(clusterv1.GroupVersion.Group, ".", "-")
	path := "/" + strings.Join([]string{verb, group, clusterv1.GroupVersion.Version, kind}, "-")
	return admissionv1.WebhookClientConfig{URL: ptr.To(server.address() + path), CABundle: server.certificate.authority}
}

func rules(resource string, onDelete bool) []admissionv1.RuleWithOperations {
	operations := []admissionv1.OperationType{admissionv1.Create, admissionv1.Update}
	if onDelete {
		operations = append(operations, admissionv1.Delete)
	}
	return []admissionv1.RuleWithOperations{{
		Operations: operations,
		Rule: admissionv1.Rule{
			APIGroups:   []string{clusterv1.GroupVersion.Group},
			APIVersions: []string{clusterv1.GroupVersion.Version},
			Resources:   []string{resource},
		},
	}}
}
