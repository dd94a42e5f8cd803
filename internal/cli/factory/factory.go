package factory

import (
	"context"
	"os"
	"time"

	"connectrpc.com/connect"

	fleetv1 "github.com/meridian-fleet/meridian/api/fleet/v1"
	"github.com/meridian-fleet/meridian/api/fleet/v1/fleetv1connect"
	"github.com/meridian-fleet/meridian/internal/cli/connection"
	"github.com/meridian-fleet/meridian/internal/cli/output"
	"github.com/meridian-fleet/meridian/internal/cli/terminal"
	"github.com/meridian-fleet/meridian/internal/fleet"
)

// Factory gives commands their dependencies.
type Factory struct {
	Streams *terminal.Streams
	Now     func() time.Time
	Getenv  func(string) string

	// Flags that hold for all commands, filled when they are parsed.
	Connection connection.Flags
	Output     output.Format
	NoColor    bool
}

// New returns the factory of the real process.
func New() *Factory {
	return &Factory{Streams: terminal.System(), Now: time.Now, Getenv: os.Getenv, Output: output.Table}
}

// Client makes an API client. The configuration is read anew each time: a
// restarted daemon may have another address.
func (f *Factory) Client() (fleetv1connect.FleetServiceClient, error) {
	config, err := connection.Load(f.Connection, f.Getenv)
	if err != nil {
		return nil, err
	}
	return connection.NewClient(config)
}

// Residency makes a client for questions about residency.
func (f *Factory) Residency() (fleetv1connect.ResidencyServiceClient, error) {
	config, err := connection.Load(f.Connection, f.Getenv)
	if err != nil {
		return nil, err
	}
	return connection.NewResidencyClient(config)
}

// Catalog asks for every region that providers have, with the facts of a
// moment; nil is now.
func (f *Factory) Catalog(ctx context.Context, moment *fleetv1.Moment) ([]fleet.RegionFacts, error) {
	client, err := f.Residency()
	if err != nil {
		return nil, err
	}
	response, err := client.ListCatalog(ctx, connect.NewRequest(&fleetv1.ListCatalogRequest{Moment: moment}))
	if err != nil {
		return nil, err
	}
	return output.DecodeAll[fleet.RegionFacts](response.Msg.GetRegions())
}

// Progress is where a command that waits says how far it is: the standard
// output, unless that is for the result in a machine's format.
func (f *Factory) Progress() *terminal.Screen {
	if f.Output.Tabular() {
		return f.Streams.Out
	}
	return f.Streams.Err
}
