package box

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"strings"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// ControlPlane is how to reach a control plane. It stays good for as long as
// the control plane exists, over restarts.
type ControlPlane struct {
	name       string
	kubeconfig []byte
	config     *rest.Config
}

// Name is what the control plane was called when it was made.
func (c *ControlPlane) Name() string { return c.name }

// Kubeconfig returns an administrator's kubeconfig that refers to no other file.
func (c *ControlPlane) Kubeconfig() []byte { return c.kubeconfig }

// Endpoint returns the API server's URL.
func (c *ControlPlane) Endpoint() string { return c.config.Host }

// RESTConfig returns a client configuration of the administrator's, without a
// limit on its rate: the API server has its own.
func (c *ControlPlane) RESTConfig() *rest.Config { return rest.CopyConfig(c.config) }

// Option changes how a control plane is made.
type Option func(*settings)

type settings struct{ version *string }

// KubernetesVersion makes a control plane serve a version, such as v1.35.4,
// instead of the newest; one that serves another version is restarted.
func KubernetesVersion(version string) Option {
	return func(s *settings) { s.version = &version }
}

// Ensure makes the named control plane unless it exists, and returns when it is
// ready. One that was stopped stays stopped: Ensure waits until it is started.
func (h *Host) Ensure(ctx context.Context, name string, options ...Option) (*ControlPlane, error) {
	if err := checkName(name); err != nil {
		return nil, err
	}
	var wanted settings
	for _, option := range options {
		option(&wanted)
	}
	keeper, err := h.ensureKept(ctx, name, wanted)
	if err != nil {
		return nil, err
	}
	if err := h.awaitReady(ctx, keeper, name, h.layout.log(name)); err != nil {
		return nil, err
	}
	return h.controlPlane(name)
}

// ensureKept makes the control plane's directory and supervises its process.
func (h *Host) ensureKept(ctx context.Context, name string, wanted settings) (*keeper, error) {
	member, err := h.take(ctx, name)
	if err != nil {
		return nil, err
	}
	defer member.release()
	if err := h.finishRemoval(ctx, name); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(h.layout.cluster(name), ownerEnters); err != nil {
		return nil, fleet.Errorf(fleet.ErrUnavailable, "make the control plane's directory: %w", err).On(name)
	}
	changed, err := h.setVersion(name, wanted)
	if err != nil {
		return nil, err
	}
	h.mutex.Lock()
	if h.closed {
		h.mutex.Unlock()
		return nil, errClosed()
	}
	if member.keeper == nil {
		member.keeper = h.keepCluster(name)
		changed = false
	}
	keeper := member.keeper
	h.mutex.Unlock()
	if changed {
		return keeper, keeper.cycle(ctx)
	}
	return keeper, nil
}

// setVersion remembers the version to serve, and reports whether it is another
// one than before.
func (h *Host) setVersion(name string, wanted settings) (changed bool, err error) {
	if wanted.version == nil || *wanted.version == h.servedVersion(name) {
		return false, nil
	}
	if err := os.WriteFile(h.layout.version(name), []byte(*wanted.version+"\n"), ownerReadsWrites); err != nil {
		return false, fleet.Errorf(fleet.ErrUnavailable, "remember the version: %w", err).On(name)
	}
	return true, nil
}

// servedVersion is empty for the newest.
func (h *Host) servedVersion(name string) string {
	content, err := os.ReadFile(h.layout.version(name))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(content))
}

func (h *Host) controlPlane(name string) (*ControlPlane, error) {
	kubeconfig, err := os.ReadFile(h.layout.kubeconfig(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fleet.Errorf(fleet.ErrNotFound, "the control plane was removed").On(name)
	}
	if err != nil {
		return nil, fleet.Errorf(fleet.ErrUnavailable, "read its kubeconfig: %w", err).On(name)
	}
	config, err := clientcmd.RESTConfigFromKubeConfig(kubeconfig)
	if err != nil {
		return nil, fleet.Errorf(fleet.ErrInternal, "its kubeconfig: %w", err).On(name)
	}
	config.QPS = -1
	return &ControlPlane{name, kubeconfig, config}, nil
}

// awaitReady returns when a process serves, or has failed so often that waiting
// is in vain.
func (h *Host) awaitReady(ctx context.Context, keeper *keeper, name, log string) error {
	var failure error
	err := keeper.await(ctx, func() bool {
		failure = nil
		if keeper.hopeless() {
			failure = keeper.failure
		}
		return keeper.state == Ready || failure != nil
	})
	switch {
	case errors.Is(err, errGone):
		return fleet.Errorf(fleet.ErrNotFound, "the control plane was removed").On(name)
	case err != nil:
		return fleet.Errorf(fleet.ErrWaiting, "not ready yet: %w", err).On(name)
	case errors.Is(failure, errMisused):
		return fleet.Errorf(fleet.ErrInvalid, "%w", failure).On(name)
	case failure != nil:
		return fleet.Errorf(fleet.ErrUnavailable, "does not start: %w", failure).On(name).Advise("see %s", log)
	}
	return nil
}
