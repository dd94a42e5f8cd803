package clouds

import (
	"github.com/Masterminds/semver/v3"
)

// kubernetesVersion reads a version as the clouds' objects have it: with or
// without a v, with or without a patch. The result has the form v1.36.3.
func kubernetesVersion(written string) (*semver.Version, error) {
	version, err := semver.NewVersion(written)
	if err != nil || version.Major() != 1 {
		return nil, Refuse("InvalidVersion", "%q is no Kubernetes version", written)
	}
	return version, nil
}

// upgrade checks a change of a control plane's version as the clouds do: never
// back, and one minor version at a time. present is empty for a new one; one
// that cannot be read says nothing to compare with.
func upgrade(present, desired string) (string, error) {
	wanted, err := kubernetesVersion(desired)
	if err != nil {
		return "", err
	}
	target := "v" + wanted.String()
	running, _ := kubernetesVersion(present)
	switch {
	case running == nil:
		return target, nil
	case wanted.LessThan(running):
		return "", Refuse("UnsupportedUpgrade", "cannot go back from v%s to %s", running, target)
	case wanted.Minor() > running.Minor()+1:
		return "", Refuse("UnsupportedUpgrade", "cannot go from v%s to %s: one minor version at a time", running, target)
	}
	return target, nil
}

// nodeVersion is the version of a pool's nodes: its own, or the control plane's
// when it names none. Nodes are never newer than their control plane.
func nodeVersion(pool, controlPlane string) (string, error) {
	if pool == "" {
		return controlPlane, nil
	}
	wanted, err := kubernetesVersion(pool)
	if err != nil {
		return "", err
	}
	running, err := kubernetesVersion(controlPlane)
	if err != nil {
		return "", err
	}
	if wanted.GreaterThan(running) {
		return "", waitFor("WaitingForControlPlane", "nodes are to have v%s, the control plane has v%s yet", wanted, running)
	}
	return "v" + wanted.String(), nil
}
