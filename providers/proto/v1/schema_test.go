package providerv1

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/reflect/protoreflect"
)

const golden = "testdata/schema.golden"

// The schema is frozen: what is in the golden file stays. What is new must be
// added to the file (UPDATE_GOLDEN=1 does), and then stays too.
func TestSchemaIsFrozen(t *testing.T) {
	t.Parallel()
	current := elements(File_providers_proto_v1_provider_proto)
	content, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	frozen := strings.Split(strings.TrimSpace(string(content)), "\n")
	if gone := missing(frozen, current); len(gone) > 0 {
		t.Fatalf("plugins in the field rely on these elements, which were changed or taken away:\n%s", strings.Join(gone, "\n"))
	}
	added := missing(current, frozen)
	if len(added) > 0 && os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.WriteFile(golden, []byte(strings.Join(current, "\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if len(added) > 0 {
		t.Errorf("these elements are new; freeze them with UPDATE_GOLDEN=1:\n%s", strings.Join(added, "\n"))
	}
}

func TestMissingTellsChanges(t *testing.T) {
	t.Parallel()
	frozen := []string{"message A", "message A field 1 name string"}
	for name, current := range map[string][]string{
		"removed":    {"message A"},
		"renumbered": {"message A", "message A field 2 name string"},
		"retyped":    {"message A", "message A field 1 name bytes"},
	} {
		if len(missing(frozen, current)) == 0 {
			t.Errorf("%s: nothing was missed", name)
		}
	}
	if gone := missing(frozen, append(frozen, "message B")); len(gone) > 0 {
		t.Errorf("an addition counts as change: %v", gone)
	}
}

func missing(wanted, have []string) []string {
	return slices.DeleteFunc(slices.Clone(wanted), func(line string) bool { return slices.Contains(have, line) })
}

// elements lists what travels on the wire, a line each.
func elements(file protoreflect.FileDescriptor) []string {
	lines := []string{"package " + string(file.Package())}
	for i := range file.Services().Len() {
		service := file.Services().Get(i)
		for j := range service.Methods().Len() {
			method := service.Methods().Get(j)
			lines = append(lines, fmt.Sprintf("service %s method %s(%s stream=%t) returns (%s stream=%t)", service.FullName(), method.Name(),
				method.Input().FullName(), method.IsStreamingClient(), method.Output().FullName(), method.IsStreamingServer()))
		}
	}
	for i := range file.Messages().Len() {
		lines = append(lines, messageElements(file.Messages().Get(i))...)
	}
	return lines
}

func messageElements(message protoreflect.MessageDescriptor) []string {
	lines := []string{"message " + string(message.FullName())}
	for i := range message.Fields().Len() {
		field := message.Fields().Get(i)
		kind := field.Kind().String()
		if field.Message() != nil {
			kind = string(field.Message().FullName())
		}
		lines = append(lines, fmt.Sprintf("message %s field %d %s %s %s", message.FullName(), field.Number(), field.Name(), field.Cardinality(), kind))
	}
	for i := range message.Messages().Len() {
		lines = append(lines, messageElements(message.Messages().Get(i))...)
	}
	return lines
}
