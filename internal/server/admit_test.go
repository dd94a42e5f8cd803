package server_test

import (
	"net/http"
	"strings"
	"testing"

	"connectrpc.com/connect"

	fleetv1 "github.com/meridian-fleet/meridian/api/fleet/v1"
	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/server"
)

// allowed says which roles may call what; a call that is missing fails the
// test, so that a new one is thought about.
var allowed = map[string][]server.Role{
	"GetVersion": {server.Viewer, server.Operator, server.Admin}, "Get": {server.Viewer, server.Operator, server.Admin},
	"List": {server.Viewer, server.Operator, server.Admin}, "History": {server.Viewer, server.Operator, server.Admin},
	"Watch": {server.Viewer, server.Operator, server.Admin}, "PlanRollout": {server.Viewer, server.Operator, server.Admin},
	"OnboardRegions": {server.Operator, server.Admin}, "AbortOnboarding": {server.Operator, server.Admin},
	"StartRollout": {server.Operator, server.Admin}, "ControlRollout": {server.Operator, server.Admin},
	"CheckDrift": {server.Operator, server.Admin}, "HealDrift": {server.Operator, server.Admin},
	"Apply": {server.Admin}, "Delete": {server.Admin}, "GetKubeconfig": {server.Admin},
}

func TestEveryCallTakesItsRole(t *testing.T) {
	f := newFixture(t)
	methods := fleetv1.File_api_fleet_v1_fleet_proto.Services().ByName("FleetService").Methods()
	for i := range methods.Len() {
		method := string(methods.Get(i).Name())
		roles, thoughtOf := allowed[method]
		if !thoughtOf {
			t.Errorf("nobody has said who may call %s", method)
		}
		for _, role := range server.Roles {
			may := strings.Contains(joined(roles), string(role))
			if got := f.probe(method, string(role)+"-token") != http.StatusForbidden; got != may {
				t.Errorf("%s as %s: let in is %t, want %t", method, role, got, may)
			}
		}
		for _, token := range []string{"", "wrong", "admin-token2"} {
			if status := f.probe(method, token); status != http.StatusUnauthorized {
				t.Errorf("%s with token %q: status %d, want 401", method, token, status)
			}
		}
	}
}

func joined(roles []server.Role) string {
	var all strings.Builder
	for _, role := range roles {
		all.WriteString(string(role) + " ")
	}
	return all.String()
}

// probe calls a method with a body that none accepts.
func (f *fixture) probe(method, token string) int {
	f.t.Helper()
	request, err := http.NewRequestWithContext(f.t.Context(), http.MethodPost, f.url+"/fleet.v1.FleetService/"+method, strings.NewReader("no JSON"))
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
	expectFailure(t, err, fleet.ErrDenied, "a viewer may not", `the role \"operator\"`)
	if ids := f.workflows.ids(); len(ids) > 0 {
		t.Errorf("a refused call started %v", ids)
	}
}

func TestPathsBesideTheAPIAreClosed(t *testing.T) {
	f := newFixture(t)
	for path, want := range map[string]int{
		"/debug/pprof/": http.StatusNotFound, "/": http.StatusNotFound,
		"/fleet.v1.FleetService/Secret": http.StatusForbidden,
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
