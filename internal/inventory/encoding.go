package inventory

import (
	"bytes"
	"encoding/json"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// maxText bounds names and actors, so that every database can index them.
const maxText = 1024

// checkText refuses text no database keeps faithfully.
func checkText(what, text string) error {
	switch {
	case text == "":
		return fleet.Errorf(fleet.ErrInvalid, "%s is missing", what)
	case len(text) > maxText:
		return fleet.Errorf(fleet.ErrInvalid, "%s has %d bytes, more than %d", what, len(text), maxText)
	case !utf8.ValidString(text) || strings.ContainsRune(text, 0):
		return fleet.Errorf(fleet.ErrInvalid, "%s %q is not plain UTF-8 text", what, text)
	}
	return nil
}

func checkRef(ref fleet.Ref) error {
	if !slices.Contains(fleet.Kinds, ref.Kind) {
		return fleet.Errorf(fleet.ErrInvalid, "unknown kind %q", ref.Kind).On(ref.String())
	}
	return checkText("the name of a "+string(ref.Kind), ref.Name)
}

// normalise checks a resource given by a caller and brings it into the form it
// is stored in, without what the inventory itself sets.
func normalise(resource fleet.Resource) (fleet.Resource, error) {
	if err := checkRef(resource.Ref()); err != nil {
		return fleet.Resource{}, err
	}
	if owner := resource.Metadata.Owner; owner != "" {
		if err := checkText("the owner of "+resource.Ref().String(), owner); err != nil {
			return fleet.Resource{}, err
		}
	}
	var err error
	if resource.Spec, err = canonical(resource.Ref(), "spec", resource.Spec); err != nil {
		return fleet.Resource{}, err
	}
	if resource.Status, err = canonical(resource.Ref(), "status", resource.Status); err != nil {
		return fleet.Resource{}, err
	}
	resource.APIVersion = fleet.APIVersion
	resource.Metadata.Revision, resource.Metadata.CreatedAt, resource.Metadata.UpdatedAt = 0, nil, nil
	return resource, nil
}

// canonical writes JSON with sorted keys and without spaces, so that equal
// content is equal text. Absent and null become nil.
func canonical(ref fleet.Ref, field string, raw json.RawMessage) (json.RawMessage, error) {
	if len(bytes.TrimSpace(raw)) == 0 {
		return nil, nil
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var value any
	err := decoder.Decode(&value)
	if err == nil {
		if _, more := decoder.Token(); more != io.EOF {
			err = fleet.Errorf(fleet.ErrInvalid, "something follows the value")
		}
	}
	if err != nil {
		return nil, fleet.Errorf(fleet.ErrInvalid, "not JSON: %w", err).On(ref.String()).At(fleet.Position{}, field)
	}
	if value == nil {
		return nil, nil
	}
	return encode(value)
}

// encode is json.Marshal without escapes for HTML.
func encode(value any) (json.RawMessage, error) {
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return nil, fleet.Errorf(fleet.ErrInternal, "encode: %w", err)
	}
	return bytes.TrimSuffix(buffer.Bytes(), []byte("\n")), nil
}

func encodeResource(resource fleet.Resource) (string, error) {
	document, err := encode(resource)
	return string(document), err
}

func decodeResource(document string) (fleet.Resource, error) {
	var resource fleet.Resource
	if err := json.Unmarshal([]byte(document), &resource); err != nil {
		return resource, fleet.Errorf(fleet.ErrNeedsHuman, "a stored resource cannot be read: %w", err)
	}
	return resource, nil
}

// decodeStored decodes what stands in a resource's row, which has to be that
// resource: a row that holds another one was edited.
func decodeStored(ref fleet.Ref, document string) (fleet.Resource, error) {
	resource, err := decodeResource(document)
	if err == nil && resource.Ref() != ref {
		err = fleet.Errorf(fleet.ErrNeedsHuman, "its row in the inventory holds %s", resource.Ref()).On(ref.String())
	}
	return resource, err
}

// sameSpec reports whether two resources are wanted alike.
func sameSpec(a, b fleet.Resource) bool {
	left, right := a.Metadata, b.Metadata
	left.Revision, left.CreatedAt, left.UpdatedAt = 0, nil, nil
	right.Revision, right.CreatedAt, right.UpdatedAt = 0, nil, nil
	l, errLeft := encode(left)
	r, errRight := encode(right)
	return errLeft == nil && errRight == nil && bytes.Equal(l, r) && bytes.Equal(a.Spec, b.Spec)
}
