package box

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strings"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// Kill ends a control plane's process as a crash would. It is restarted, with
// the same address and data.
func (h *Host) Kill(name string) error {
	keeper, err := h.find(name)
	if err != nil {
		return err
	}
	if !keeper.kill() {
		return fleet.Errorf(fleet.ErrConflict, "there is no process to kill").On(name)
	}
	return nil
}

// Stop ends a control plane's process and keeps it down until Start, as an
// outage does. It returns when the process has ended.
func (h *Host) Stop(name string) error {
	keeper, err := h.find(name)
	if err != nil {
		return err
	}
	return keeper.stop(context.Background())
}

// Start brings a stopped control plane back; Ensure waits until it is.
func (h *Host) Start(name string) error {
	keeper, err := h.find(name)
	if err != nil {
		return err
	}
	keeper.want(true)
	return nil
}

// Remove ends a control plane and gives back its port, its memory, its
// directory and its data in etcd. Removing one that does not exist does nothing.
// What is interrupted, the next host on the directory completes.
func (h *Host) Remove(ctx context.Context, name string) error {
	if err := checkName(name); err != nil {
		return err
	}
	member, err := h.take(ctx, name)
	if err != nil {
		return err
	}
	defer member.release()
	h.mutex.Lock()
	keeper := member.keeper
	member.keeper = nil
	h.mutex.Unlock()
	if keeper == nil {
		return h.finishRemoval(ctx, name)
	}
	keeper.close()
	if err := os.Rename(h.layout.cluster(name), h.layout.removedCluster(name)); err != nil {
		return fleet.Errorf(fleet.ErrUnavailable, "remove: %w", err).On(name)
	}
	return h.purge(ctx, name)
}

// finishRemoval ends a removal that was interrupted, if there is one.
func (h *Host) finishRemoval(ctx context.Context, name string) error {
	if _, err := os.Stat(h.layout.removedCluster(name)); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return h.purge(ctx, name)
}

// purge takes a removed control plane's data from etcd, and then the directory
// that remembers that this is to be done.
func (h *Host) purge(ctx context.Context, name string) error {
	if err := h.awaitReady(ctx, h.etcd, "etcd", h.layout.path(etcdLog)); err != nil {
		return err
	}
	command := exec.CommandContext(ctx, h.config.Binary, "purge", "--etcd", etcdSocket, "--prefix", prefix(name))
	command.Dir = h.layout.root
	if output, err := command.CombinedOutput(); err != nil {
		return fleet.Errorf(fleet.ErrUnavailable, "purge its data: %w: %s", err, strings.TrimSpace(string(output))).On(name)
	}
	if err := errors.Join(os.RemoveAll(h.layout.removedCluster(name)), os.RemoveAll(h.layout.log(name))); err != nil {
		return fleet.Errorf(fleet.ErrUnavailable, "remove its files: %w", err).On(name)
	}
	return nil
}

// take returns the member of a name, to be changed by nobody else until it is
// released.
func (h *Host) take(ctx context.Context, name string) (*member, error) {
	h.mutex.Lock()
	if h.closed {
		h.mutex.Unlock()
		return nil, errClosed()
	}
	taken := h.members[name]
	if taken == nil {
		taken = &member{turn: make(chan struct{}, 1)}
		h.members[name] = taken
	}
	h.mutex.Unlock()
	select {
	case taken.turn <- struct{}{}:
		return taken, nil
	case <-ctx.Done():
		return nil, fleet.Errorf(fleet.ErrWaiting, "it is being changed: %w", ctx.Err()).On(name)
	}
}

func (m *member) release() { <-m.turn }

func (h *Host) find(name string) (*keeper, error) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	if member := h.members[name]; member != nil && member.keeper != nil {
		return member.keeper, nil
	}
	return nil, fleet.Errorf(fleet.ErrNotFound, "there is no such control plane").On(name)
}

func (h *Host) keepCluster(name string) *keeper {
	describe := func() specification { return h.clusterProcess(name) }
	awaited := func(ctx context.Context) error {
		return h.etcd.await(ctx, func() bool { return h.etcd.state == Ready })
	}
	return keep(name, h.config.Logger, h.slots, describe, awaited)
}

func (h *Host) clusterProcess(name string) specification {
	arguments := []string{"cluster", "--name", name, "--dir", relative(name), "--etcd", etcdSocket, "--prefix", prefix(name)}
	if version := h.servedVersion(name); version != "" {
		arguments = append(arguments, "--kubernetes-version", version)
	}
	return specification{binary: h.config.Binary, arguments: arguments, dir: h.layout.root, log: h.layout.log(name)}
}

func (h *Host) etcdProcess() specification {
	return specification{
		binary:    h.config.Binary,
		arguments: []string{"etcd", "--data-dir", etcdData, "--socket", etcdSocket},
		dir:       h.layout.root,
		log:       h.layout.path(etcdLog),
	}
}

// stop ends the process on purpose and returns when it has ended.
func (k *keeper) stop(ctx context.Context) error {
	k.want(false)
	if err := k.await(ctx, func() bool { return k.state == Stopped }); err != nil {
		return fmt.Errorf("stop %s: %w", k.name, err)
	}
	return nil
}

// cycle starts a process anew, unless it was stopped on purpose.
func (k *keeper) cycle(ctx context.Context) error {
	k.mutex.Lock()
	wanted := k.wanted
	k.mutex.Unlock()
	if !wanted {
		return nil
	}
	if err := k.stop(ctx); err != nil {
		return err
	}
	k.want(true)
	return nil
}

func errClosed() error {
	return fleet.Errorf(fleet.ErrConflict, "the host of the control planes was closed")
}
