package baseline

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
)

// requestTimeout bounds one request, so that an API server that hangs is
// noticed.
const requestTimeout = 20 * time.Second

// requestRetries bounds how often client-go repeats a request by itself when
// the server asks for it.
const requestRetries = 2

// resource is where a kind of objects is found in a cluster's API.
type resource struct {
	schema.GroupVersionResource
	kind       string
	namespaced bool
}

func (r resource) path(namespace, name string) []string {
	segments := []string{"api", r.Version}
	if r.Group != "" {
		segments = []string{"apis", r.Group, r.Version}
	}
	if r.namespaced && namespace != "" {
		segments = append(segments, "namespaces", namespace)
	}
	segments = append(segments, r.Resource)
	if name != "" {
		segments = append(segments, name)
	}
	return segments
}

// client speaks to a cluster's API about objects of any kind. It is thinner
// than the dynamic client where that counts: it says whether an apply created
// the object.
type client struct {
	rest rest.Interface
}

// applyOptions say how to apply an object.
type applyOptions struct {
	force, dryRun bool
}

// apply sends an object by server-side apply.
func (c *client) apply(ctx context.Context, at resource, namespace, name string, body []byte, options applyOptions) (live *unstructured.Unstructured, created bool, err error) {
	request := c.rest.Patch(types.ApplyPatchType).AbsPath(at.path(namespace, name)...).Body(body).
		Param("fieldManager", FieldManager).Param("fieldValidation", metav1.FieldValidationStrict)
	if options.force {
		request = request.Param("force", "true")
	}
	if options.dryRun {
		request = request.Param("dryRun", metav1.DryRunAll)
	}
	status := 0
	live, err = c.do(ctx, request, &status)
	return live, status == http.StatusCreated, err
}

// create sends an object that must not be there yet.
func (c *client) create(ctx context.Context, at resource, object *unstructured.Unstructured, dryRun bool) (*unstructured.Unstructured, error) {
	body, err := json.Marshal(object.Object)
	if err != nil {
		return nil, err
	}
	request := c.rest.Post().AbsPath(at.path(object.GetNamespace(), "")...).Body(body).
		Param("fieldManager", FieldManager).Param("fieldValidation", metav1.FieldValidationStrict)
	if dryRun {
		request = request.Param("dryRun", metav1.DryRunAll)
	}
	return c.do(ctx, request, nil)
}

// update replaces an object that has the resource version it carries.
func (c *client) update(ctx context.Context, at resource, object *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	body, err := json.Marshal(object.Object)
	if err != nil {
		return nil, err
	}
	return c.do(ctx, c.rest.Put().AbsPath(at.path(object.GetNamespace(), object.GetName())...).Body(body).Param("fieldManager", FieldManager), nil)
}

func (c *client) get(ctx context.Context, at resource, namespace, name string) (*unstructured.Unstructured, error) {
	return c.do(ctx, c.rest.Get().AbsPath(at.path(namespace, name)...), nil)
}

// list returns the objects a label selector matches, in a namespace or, when
// it is empty, in all. A certain list is up to date: a hand edit made just
// before is in it; for a kind that nobody writes to, the server takes up to
// 100 ms to be sure of that. Another may be a moment old.
func (c *client) list(ctx context.Context, at resource, namespace, selector string, certain bool) ([]*unstructured.Unstructured, error) {
	request := c.rest.Get().AbsPath(at.path(namespace, "")...).Param("labelSelector", selector)
	if !certain {
		request = request.Param("resourceVersion", "0")
	}
	list, err := c.do(ctx, request, nil)
	if err != nil {
		return nil, err
	}
	items, _ := list.Object["items"].([]any)
	out := make([]*unstructured.Unstructured, 0, len(items))
	for _, item := range items {
		content, ok := item.(map[string]any)
		if !ok {
			continue
		}
		// Items of a list do not repeat what they are.
		content["apiVersion"], content["kind"] = at.GroupVersion().String(), at.kind
		out = append(out, &unstructured.Unstructured{Object: content})
	}
	return out, nil
}

// delete removes exactly the object that was seen: with another UID or
// resource version the server answers with a conflict.
func (c *client) delete(ctx context.Context, at resource, seen *unstructured.Unstructured) error {
	uid, version, background := seen.GetUID(), seen.GetResourceVersion(), metav1.DeletePropagationBackground
	body, err := json.Marshal(metav1.DeleteOptions{
		TypeMeta:          metav1.TypeMeta{APIVersion: "v1", Kind: "DeleteOptions"},
		Preconditions:     &metav1.Preconditions{UID: &uid, ResourceVersion: &version},
		PropagationPolicy: &background,
	})
	if err != nil {
		return err
	}
	_, err = c.do(ctx, c.rest.Delete().AbsPath(at.path(seen.GetNamespace(), seen.GetName())...).Body(body), nil)
	return err
}

func (c *client) do(ctx context.Context, request *rest.Request, status *int) (*unstructured.Unstructured, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	result := request.MaxRetries(requestRetries).Do(ctx)
	if status != nil {
		result.StatusCode(status)
	}
	if err := result.Error(); err != nil {
		return nil, err
	}
	raw, _ := result.Raw()
	content := map[string]any{}
	if err := decodeJSON(raw, &content); err != nil {
		return nil, err
	}
	return &unstructured.Unstructured{Object: content}, nil
}
