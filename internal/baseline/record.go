package baseline

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"maps"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// recordNamespace is where a cluster keeps what baselines applied to it.
const recordNamespace = "meridian-system"

// maxRecordSize leaves room below what a ConfigMap can hold.
const maxRecordSize = 1_000_000

var (
	configMaps = resource{schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}, "ConfigMap", true}
	namespaces = resource{schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}, "Namespace", false}
)

// record is the list, kept in the cluster itself, of what a baseline applied
// to it: a ConfigMap per baseline. It is written before the first change, with
// all that was and all that is to be, and after the last, with what is: a run
// that ends in between leaves nothing that nobody knows of.
type record struct {
	baseline string
	entries  map[objectKey]recordEntry

	stored *unstructured.Unstructured // as it is in the cluster; nil when it is not
}

// recordEntry is one applied object.
type recordEntry struct {
	Component string `json:"component"`
	Group     string `json:"group,omitempty"`
	Version   string `json:"version"`
	Kind      string `json:"kind"`
	Namespace string `json:"namespace,omitempty"`
	Name      string `json:"name"`
	// Adopted objects were there before, made by others: when the baseline
	// drops one, we give up our fields of it and leave it.
	Adopted bool `json:"adopted,omitempty"`

	fields json.RawMessage // the fields we own of it, as ownedFields gives them
}

func (e recordEntry) key() objectKey { return objectKey{e.Group, e.Kind, e.Namespace, e.Name} }

func (e recordEntry) groupVersionKind() schema.GroupVersionKind {
	return schema.GroupVersionKind{Group: e.Group, Version: e.Version, Kind: e.Kind}
}

func recordName(baseline string) string { return "baseline-" + baseline }

// readRecord reads a baseline's record; one that is not there is empty.
func (c *Cluster) readRecord(ctx context.Context, baseline string) (*record, error) {
	found := &record{baseline: baseline, entries: map[objectKey]recordEntry{}}
	stored, err := c.client.get(ctx, configMaps, recordNamespace, recordName(baseline))
	if apierrors.IsNotFound(err) {
		return found, nil
	}
	if err != nil {
		return nil, clusterFault("ConfigMap "+recordNamespace+"/"+recordName(baseline), "read what was applied", err)
	}
	found.stored = stored
	found.entries, err = decodeEntries(stored)
	if err != nil {
		return nil, fleet.Errorf(fleet.ErrNeedsHuman, "read what was applied: %w", err).
			On("ConfigMap " + recordNamespace + "/" + recordName(baseline)).Advise("somebody changed it; restore or delete it")
	}
	return found, nil
}

func decodeEntries(stored *unstructured.Unstructured) (map[objectKey]recordEntry, error) {
	text, _, _ := unstructured.NestedString(stored.Object, "data", "objects")
	var list []recordEntry
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		return nil, err
	}
	encoded, _, _ := unstructured.NestedString(stored.Object, "binaryData", "fields")
	fields := decodeFields(encoded)
	entries := map[objectKey]recordEntry{}
	for _, entry := range list {
		entry.fields = fields[entry.key().String()]
		entries[entry.key()] = entry
	}
	return entries, nil
}

// encode writes the entries in a fixed order. The fields, which only save
// requests and heal hand edits, are left out when they do not fit.
func (r *record) encode(reference string) (data, binary map[string]any, err error) {
	var list []recordEntry
	fields := map[string]json.RawMessage{}
	for _, key := range slices.SortedFunc(maps.Keys(r.entries), compareKeys) {
		entry := r.entries[key]
		list = append(list, entry)
		if entry.fields != nil {
			fields[key.String()] = entry.fields
		}
	}
	objects, err := encodeLines(list)
	if err != nil {
		return nil, nil, err
	}
	if len(objects) > maxRecordSize {
		return nil, nil, fleet.Errorf(fleet.ErrInvalid, "has too many objects: %d", len(list)).On("Baseline " + reference).Advise("part it into several baselines")
	}
	data = map[string]any{"baseline": reference, "objects": string(objects)}
	encoded, err := encodeFields(fields)
	if err != nil {
		return nil, nil, err
	}
	if len(fields) > 0 && len(objects)+len(encoded) <= maxRecordSize {
		binary = map[string]any{"fields": encoded}
	}
	return data, binary, nil
}

// encodeLines is JSON with a line per entry, for people who look at it.
func encodeLines(list []recordEntry) ([]byte, error) {
	var out bytes.Buffer
	out.WriteString("[")
	for i, entry := range list {
		raw, err := json.Marshal(entry)
		if err != nil {
			return nil, err
		}
		if i > 0 {
			out.WriteString(",")
		}
		out.WriteString("\n")
		out.Write(raw)
	}
	out.WriteString("\n]\n")
	return out.Bytes(), nil
}

func encodeFields(fields map[string]json.RawMessage) (string, error) {
	var out bytes.Buffer
	writer := gzip.NewWriter(&out)
	if err := json.NewEncoder(writer).Encode(fields); err != nil {
		return "", err
	}
	if err := writer.Close(); err != nil {
		return "", err
	}
	return base64.StdEncoding.EncodeToString(out.Bytes()), nil
}

// decodeFields gives nothing for what it cannot read: without the fields we
// apply objects once more than needed.
func decodeFields(encoded string) map[string]json.RawMessage {
	raw, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || len(raw) == 0 {
		return nil
	}
	reader, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		return nil
	}
	content, err := io.ReadAll(io.LimitReader(reader, 64<<20))
	if err != nil {
		return nil
	}
	var fields map[string]json.RawMessage
	if json.Unmarshal(content, &fields) != nil {
		return nil
	}
	return fields
}

// write stores the record unless it is stored just so already. Somebody else
// having written it since means that another run is under way.
func (r *record) write(ctx context.Context, client *client, reference string) error {
	data, binary, err := r.encode(reference)
	if err != nil {
		return err
	}
	if r.stored != nil && sameRecord(r.stored, data, binary) {
		return nil
	}
	object := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "ConfigMap",
		"metadata": map[string]any{"namespace": recordNamespace, "name": recordName(r.baseline)},
		"data":     data,
	}}
	if binary != nil {
		object.Object["binaryData"] = binary
	}
	written, err := r.send(ctx, client, object)
	if apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err) {
		return fleet.Errorf(fleet.ErrUnavailable, "another run on this cluster is under way: %w", err).On("Baseline " + r.baseline)
	}
	if err != nil {
		return clusterFault("ConfigMap "+recordNamespace+"/"+recordName(r.baseline), "write what is applied", err)
	}
	r.stored = written
	return nil
}

func (r *record) send(ctx context.Context, client *client, object *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	if r.stored != nil {
		object.SetResourceVersion(r.stored.GetResourceVersion())
		return client.update(ctx, configMaps, object)
	}
	written, err := client.create(ctx, configMaps, object, false)
	if !apierrors.IsNotFound(err) {
		return written, err
	}
	namespace := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": recordNamespace}}}
	if _, err := client.create(ctx, namespaces, namespace, false); err != nil && !apierrors.IsAlreadyExists(err) {
		return nil, err
	}
	return client.create(ctx, configMaps, object, false)
}

func sameRecord(stored *unstructured.Unstructured, data, binary map[string]any) bool {
	storedData, _, _ := unstructured.NestedStringMap(stored.Object, "data")
	storedFields, _, _ := unstructured.NestedString(stored.Object, "binaryData", "fields")
	wantFields, _ := binary["fields"].(string)
	return len(storedData) == 2 && storedData["baseline"] == data["baseline"] && storedData["objects"] == data["objects"] &&
		maps.EqualFunc(decodeFields(storedFields), decodeFields(wantFields), func(a, b json.RawMessage) bool { return bytes.Equal(a, b) })
}
