package server_test

import (
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/reflect/protoreflect"

	fleetv1 "github.com/meridian-fleet/meridian/api/fleet/v1"
	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/server"
)

// readTable reads a table of who may what: row, then role.
func readTable(t *testing.T, file string) map[string]map[server.Role]bool {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	table := map[string]map[server.Role]bool{}
	var columns []string
	for line := range strings.Lines(string(content)) {
		cells := strings.Fields(line)
		switch {
		case len(cells) == 0 || cells[0] == "#":
		case columns == nil:
			columns = cells
		default:
			table[cells[0]] = map[server.Role]bool{}
			for i, cell := range cells[1:] {
				table[cells[0]][server.Role(columns[i+1])] = cell == "yes"
			}
		}
	}
	for _, role := range server.Roles {
		if !slices.Contains(columns, string(role)) {
			t.Fatalf("%s says nothing of the role %s", file, role)
		}
	}
	return table
}

// methods lists every method of the API as SERVICE/METHOD.
func methods() []string {
	var all []string
	for _, file := range []protoreflect.FileDescriptor{fleetv1.File_api_fleet_v1_fleet_proto, fleetv1.File_api_fleet_v1_residency_proto} {
		for i := range file.Services().Len() {
			service := file.Services().Get(i)
			for k := range service.Methods().Len() {
				all = append(all, string(service.Name())+"/"+string(service.Methods().Get(k).Name()))
			}
		}
	}
	return all
}

func TestEveryCallTakesItsRole(t *testing.T) {
	f := newFixture(t)
	table := readTable(t, "calls.txt")
	for _, method := range methods() {
		allowed, thoughtOf := table[method]
		if !thoughtOf {
			t.Errorf("nobody has said who may call %s", method)
		}
		delete(table, method)
		for _, role := range server.Roles {
			status := f.probe(method, string(role)+"-token")
			if got := status != http.StatusForbidden; got != allowed[role] || status == http.StatusUnauthorized || status == http.StatusNotFound {
				t.Errorf("%s as %s: status %d, want it let in: %t", method, role, status, allowed[role])
			}
		}
		if status := f.probe(method, "nobody-token"); status != http.StatusForbidden {
			t.Errorf("%s by a user without a role: status %d, want 403", method, status)
		}
		for _, token := range []string{"", "wrong", "admin-token2"} {
			if status := f.probe(method, token); status != http.StatusUnauthorized {
				t.Errorf("%s with token %q: status %d, want 401", method, token, status)
			}
		}
	}
	for method := range table {
		t.Errorf("the table has %s, which is no call", method)
	}
}

// probe calls a method with a body that none accepts.
func (f *fixture) probe(method, token string) int {
	f.t.Helper()
	request, err := http.NewRequestWithContext(f.t.Context(), http.MethodPost, f.url+"/fleet.v1."+method, strings.NewReader("no JSON"))
	if err != nil {
		f.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := (&http.Client{Transport: bearer(token)}).Do(request)
	if err != nil {
		f.t.Fatal(err)
	}
	defer response.Body.Close()
	return response.StatusCode
}

func TestRefusalsAreDenials(t *testing.T) {
	f := newFixture(t)
	_, err := f.as("").GetVersion(t.Context(), connect.NewRequest(&fleetv1.GetVersionRequest{}))
	if code, _ := detail(t, err); code != connect.CodeUnauthenticated {
		t.Errorf("without a token: code %s", code)
	}
	expectFailure(t, err, fleet.ErrDenied, "no bearer token")
	_, err = f.as("viewer-token").HealDrift(t.Context(), connect.NewRequest(&fleetv1.HealDriftRequest{}))
	if code, _ := detail(t, err); code != connect.CodePermissionDenied {
		t.Errorf("as a viewer: code %s", code)
	}
	expectFailure(t, err, fleet.ErrDenied, "a viewer may not", "the role operator or admin")
	if ids := f.workflows.ids(); len(ids) > 0 {
		t.Errorf("a refused call started %v", ids)
	}
}

func TestPathsBesideTheAPIAreClosed(t *testing.T) {
	f := newFixture(t)
	for path, want := range map[string]int{
		"/debug/pprof/": http.StatusNotFound, "/": http.StatusNotFound,
		"/fleet.v1.FleetService/Secret": http.StatusForbidden, "/fleet.v1.ResidencyService/Secret": http.StatusForbidden,
	} {
		request, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, f.url+path, nil)
		response, err := (&http.Client{Transport: bearer("admin-token")}).Do(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != want {
			t.Errorf("%s: status %d, want %d", path, response.StatusCode, want)
		}
	}
}

func TestTheLogNamesNobodyWhoIsRefused(t *testing.T) {
	f := newFixture(t)
	if status := f.probe("FleetService/Apply", "viewer-token"); status != http.StatusForbidden {
		t.Fatalf("status %d", status)
	}
	if log := f.log.String(); !strings.Contains(log, "request refused") || strings.Contains(log, "a viewer") {
		t.Errorf("the log: %s", log)
	}
}
