package cli_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/meridian-fleet/meridian/internal/cli/offline"
	"github.com/meridian-fleet/meridian/internal/compliance"
	"github.com/meridian-fleet/meridian/internal/evidence"
	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/inventory"
	"github.com/meridian-fleet/meridian/internal/residency"
	"github.com/meridian-fleet/meridian/internal/server"
)

// users are who can call the daemon of a test, each with a token in the folder
// users beside client.json, as fleetd dev leaves them.
var users = []server.Identity{
	{User: "ada", Roles: []server.Role{server.Admin, server.Operator, server.Compliance}},
	{User: "officer", Roles: []server.Role{server.Compliance}},
	{User: "approver-1", Roles: []server.Role{server.Approver}},
	{User: "approver-2", Roles: []server.Role{server.Approver}},
	{User: "operator", Roles: []server.Role{server.Operator}},
	{User: "vic", Roles: []server.Role{server.Viewer}},
}

// tokenOf is the token of a user.
func tokenOf(user string) string {
	switch user {
	case "ada":
		return adminToken
	case "vic":
		return viewerToken
	}
	return user + "-token"
}

func writeTokens(folder string) error {
	folder = filepath.Join(folder, "users")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	for _, user := range users {
		if err := os.WriteFile(filepath.Join(folder, user.User+".token"), []byte(tokenOf(user.User)+"\n"), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// answering are the parts of a daemon that answer about residency, the real
// ones.
type answering struct {
	office *compliance.Office
	log    *evidence.Log
}

func newAnswering(ctx context.Context, folder string, store inventory.Store) (answering, error) {
	catalog := func(context.Context) ([]fleet.RegionFacts, error) { return offline.Regions() }
	logger := slog.New(slog.DiscardHandler)
	log, err := evidence.Open(ctx, evidence.Config{Dir: filepath.Join(folder, "evidence"), Store: store, Logger: logger})
	return answering{compliance.New(compliance.Config{Store: store, Catalog: catalog, Logger: logger}), log}, err
}

type officeAdapter struct{ *compliance.Office }

func (o officeAdapter) Admit(ctx context.Context, actor string, changed []fleet.Resource) (server.Admission, error) {
	admission, err := o.Office.Admit(ctx, actor, changed)
	return server.Admission{Decisions: admission.Decisions, Unless: admission.Unless}, err
}

type rulesAdapter struct{}

func (rulesAdapter) CheckException(spec fleet.ExceptionSpec) error {
	var faults []error
	for _, problem := range residency.ValidateException(spec) {
		faults = append(faults, fleet.Errorf(fleet.ErrInvalid, "%s", problem.Message).At(fleet.Position{}, problem.Field))
	}
	return errors.Join(faults...)
}

func (rulesAdapter) Span(period fleet.Period) (begins, ends time.Time, err error) {
	begins, beginsErr := residency.Begins(period, time.UTC)
	ends, endsErr := residency.Ends(period, time.UTC)
	return begins, ends, errors.Join(beginsErr, endsErr)
}
