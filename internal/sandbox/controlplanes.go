package sandbox

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/sandbox/box"
	"github.com/meridian-fleet/meridian/internal/sandbox/clouds"
)

// process is the sandbox process as its clients see it.
type process struct {
	board *board
	stop  func()
	host  atomic.Pointer[box.Host] // nil until it is up
}

var _ controls = (*process)(nil)

func (p *process) Stop() { p.stop() }

func (p *process) Status() Status {
	status := p.board.get()
	status.ControlPlanes = []ControlPlane{}
	if host := p.host.Load(); host != nil {
		for _, entry := range host.List() {
			status.ControlPlanes = append(status.ControlPlanes, describe(entry))
		}
	}
	return status
}

func describe(entry box.Status) ControlPlane {
	controlPlane := ControlPlane{Name: entry.Name, State: string(entry.State), Endpoint: entry.Endpoint, PID: entry.PID, Starts: entry.Starts}
	if entry.Failure != nil {
		controlPlane.Failure = entry.Failure.Error()
	}
	return controlPlane
}

func (p *process) Act(_ context.Context, name, action string) error {
	host := p.host.Load()
	if host == nil {
		return fleet.Errorf(fleet.ErrUnavailable, "the sandbox is still starting")
	}
	name, err := resolve(p.Status().ControlPlanes, name)
	if err != nil {
		return err
	}
	switch action {
	case actionKill:
		return host.Kill(name)
	case actionStop:
		return host.Stop(name)
	case actionStart:
		return host.Start(name)
	}
	return fleet.Errorf(fleet.ErrInvalid, "no action %q on a control plane", action)
}

// controlPlanes gives the clouds their control planes.
type controlPlanes struct{ host *box.Host }

var _ clouds.ControlPlanes = controlPlanes{}

func (c controlPlanes) Ensure(ctx context.Context, name, version string) ([]byte, error) {
	for _, entry := range c.host.List() {
		if entry.Name == name && entry.State == box.Stopped {
			// Waiting for its start would keep it from being removed meanwhile.
			return nil, fleet.Errorf(fleet.ErrUnavailable, "it is stopped").On(name)
		}
	}
	controlPlane, err := c.host.Ensure(ctx, name, box.KubernetesVersion(version))
	if errors.Is(err, fleet.ErrInvalid) {
		return nil, clouds.Refuse("InvalidRequest", "%v", err)
	}
	if err != nil {
		return nil, err
	}
	return controlPlane.Kubeconfig(), nil
}

func (c controlPlanes) Remove(ctx context.Context, name string) error {
	return c.host.Remove(ctx, name)
}
