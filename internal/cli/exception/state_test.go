package exception

import (
	"testing"
	"time"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

func TestState(t *testing.T) {
	t.Parallel()
	approvals := []fleet.Approval{{By: "ann", At: "2026-03-02T00:00:00Z"}, {By: "bob", At: "2026-03-03T00:00:00Z"}}
	period := fleet.Period{From: "2026-03-05", Until: "2026-03-31"}
	approved := fleet.ExceptionStatus{
		Phase: fleet.ExceptionApproved, RequestedAt: "2026-03-01T00:00:00Z", Approvals: approvals, ApprovedAt: "2026-03-03T00:00:00Z",
	}
	revoked := approved
	revoked.Phase, revoked.RevokedAt = fleet.ExceptionRevoked, "2026-03-10T12:00:00Z"
	for _, test := range []struct {
		status fleet.ExceptionStatus
		at     string
		want   string
	}{
		{approved, "2026-02-28T23:59:59Z", "not asked for yet"},
		{approved, "2026-03-01T00:00:00Z", "waits for 2 approvals"},
		{approved, "2026-03-02T00:00:00Z", "waits for 1 approval"},
		{approved, "2026-03-03T00:00:00Z", "approved, begins 2026-03-05"},
		{approved, "2026-03-05T00:00:00Z", "in force"},
		{approved, "2026-03-31T23:59:59Z", "in force"},
		{approved, "2026-04-01T00:00:00Z", "expired"},
		{revoked, "2026-03-10T11:59:59Z", "in force"},
		{revoked, "2026-03-10T12:00:00Z", "revoked"},
		{revoked, "2026-05-01T00:00:00Z", "revoked"},
		{fleet.ExceptionStatus{Phase: fleet.ExceptionRequested, RequestedAt: "2026-03-01T00:00:00Z"}, "2026-04-01T00:00:00Z", "expired"},
		{fleet.ExceptionStatus{}, "2026-04-01T00:00:00Z", "not asked for yet"},
	} {
		at, err := time.Parse(time.RFC3339, test.at)
		if err != nil {
			t.Fatal(err)
		}
		got, err := recorded{spec: fleet.ExceptionSpec{Period: period}, status: test.status}.state(at)
		if err != nil || got != test.want {
			t.Errorf("on %s it is %q, %v; want %q", test.at, got, err, test.want)
		}
	}
	broken := fleet.ExceptionStatus{RequestedAt: "soon"}
	if _, err := (recorded{status: broken}).state(time.Now()); err == nil {
		t.Error("a broken time is no error")
	}
}
