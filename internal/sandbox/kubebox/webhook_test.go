package main

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"strings"

	admissionv1 "k8s.io/api/admission/v1"
	registrationv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

const denial = "not on my watch"

// checkWebhook expects the API server to call a webhook on a loopback URL.
func (c *cluster) checkWebhook() {
	c.Helper()
	server := httptest.NewTLSServer(http.HandlerFunc(deny))
	defer server.Close()
	authority := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	hook := &registrationv1.ValidatingWebhookConfiguration{
		ObjectMeta: metav1.ObjectMeta{Name: "deny"},
		Webhooks: []registrationv1.ValidatingWebhook{{
			Name:                    "deny.example.com",
			ClientConfig:            registrationv1.WebhookClientConfig{URL: ptr.To(server.URL + "/deny"), CABundle: authority},
			SideEffects:             ptr.To(registrationv1.SideEffectClassNone),
			AdmissionReviewVersions: []string{"v1"},
			NamespaceSelector:       &metav1.LabelSelector{MatchLabels: map[string]string{"kubernetes.io/metadata.name": "demo"}},
			Rules: []registrationv1.RuleWithOperations{{
				Operations: []registrationv1.OperationType{registrationv1.Create},
				Rule:       registrationv1.Rule{APIGroups: []string{""}, APIVersions: []string{"v1"}, Resources: []string{"pods"}},
			}},
		}},
	}
	hooks := c.typed.AdmissionregistrationV1().ValidatingWebhookConfigurations()
	if _, err := hooks.Create(c.Context(), hook, metav1.CreateOptions{}); err != nil {
		c.Fatal(err)
	}
	c.eventually("the webhook to deny a pod", func(ctx context.Context) (bool, error) {
		_, err := c.typed.CoreV1().Pods("demo").Create(ctx, pod("hooked", "registry.example/web:1"), metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		if err != nil && strings.Contains(err.Error(), denial) {
			return true, nil
		}
		return false, err
	})
	if err := hooks.Delete(c.Context(), hook.Name, metav1.DeleteOptions{}); err != nil {
		c.Fatal(err)
	}
}

func deny(response http.ResponseWriter, request *http.Request) {
	var review admissionv1.AdmissionReview
	if err := json.NewDecoder(request.Body).Decode(&review); err != nil || review.Request == nil {
		http.Error(response, "no review", http.StatusBadRequest)
		return
	}
	review.Response = &admissionv1.AdmissionResponse{UID: review.Request.UID, Result: &metav1.Status{Message: denial}}
	_ = json.NewEncoder(response).Encode(review) // the API server tells a broken answer
}
