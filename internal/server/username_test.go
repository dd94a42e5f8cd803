package server_test

import (
	"strings"
	"testing"

	"connectrpc.com/connect"

	fleetv1 "github.com/meridian-fleet/meridian/api/fleet/v1"
	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/server"
)

func TestUserNamesHaveOneForm(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"ann": "ann", "ann@example.com": "ann@example.com", "Ann Lee": "Ann Lee", "zo\u00eb": "zo\u00eb",
		"zoe\u0308": "zo\u00eb", "\uff41\uff4e\uff4e": "ann", "a\u00a0b": "a b", "\u212bsa": "\u00c5sa",
		"": "", " ann": "", "ann\u3000": "", "ann\n": "", "ann\u200b": "", "a\u200dnn": "", "ann\u2060": "", "\u202eann": "",
		"ann\ufe0f": "", "ann\u3164": "", "ann\u034f": "", "ann\xff": "", strings.Repeat("a", 257): "",
	} {
		got, err := server.UserName(name)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: got %q, %v; want %q", name, got, err, want)
		}
	}
}

// TestOneNameSpelledTwiceIsOnePerson: neither writes a name so that it looks
// the same make a second approver.
func TestOneNameSpelledTwiceIsOnePerson(t *testing.T) {
	f := exceptionFixture(t)
	everybody := append([]server.Role{server.Operator}, server.Approver)
	for token, name := range map[string]string{"composed": "Zo\u00eb", "decomposed": "zoe\u0308", "wide": "\uff3a\uff2f\u00cb", "hidden": "zo\u00eb\u200b"} {
		f.tokens.Add(token, server.Identity{User: name, Roles: everybody})
	}
	if _, err := f.request("composed", "x", wanted(nil)); err != nil {
		t.Fatal(err)
	}
	for _, token := range []string{"composed", "decomposed", "wide"} {
		_, err := f.approve(token, "x")
		expectFailure(t, err, fleet.ErrDenied, "who asked for it cannot approve it")
	}
	_, err := f.approve("hidden", "x")
	if connect.CodeOf(err) != connect.CodeUnauthenticated {
		t.Errorf("a name with something invisible: %v", err)
	}
	if _, err := f.request("operator-token", "y", wanted(nil)); err != nil {
		t.Fatal(err)
	}
	if _, err := f.approve("decomposed", "y"); err != nil {
		t.Fatal(err)
	}
	_, err = f.approve("wide", "y")
	expectFailure(t, err, fleet.ErrConflict, "has approved it already")
	who, err := f.residencyAs("decomposed").WhoAmI(t.Context(), connect.NewRequest(&fleetv1.WhoAmIRequest{}))
	if err != nil || who.Msg.GetUser() != "zo\u00eb" {
		t.Errorf("recorded is %q, %v", who.Msg.GetUser(), err)
	}
}
