package controlplane

import (
	"fmt"

	machineryversion "k8s.io/apimachinery/pkg/util/version"
	apimachineryversion "k8s.io/apimachinery/pkg/version"
	basecompatibility "k8s.io/component-base/compatibility"
	componentversion "k8s.io/component-base/version"
)

// olderMinors is how many minor versions back Kubernetes can emulate.
const olderMinors = 3

// version is the Kubernetes version a cluster serves: its APIs and features are
// those of the minor version, and it reports the whole of it.
type version struct{ *machineryversion.Version }

// parseVersion reads a version such as v1.35.4; empty means the version this
// binary was built from.
func parseVersion(text string) (version, error) {
	newest, err := newest()
	if err != nil {
		return version{}, err
	}
	if text == "" {
		return version{newest}, nil
	}
	wanted, err := machineryversion.ParseSemantic(text)
	if err != nil {
		return version{}, fmt.Errorf("Kubernetes version %q: %w", text, err)
	}
	oldest := newest.SubtractMinor(olderMinors)
	if wanted.Major() != newest.Major() || wanted.Minor() > newest.Minor() || wanted.Minor() < oldest.Minor() {
		return version{}, fmt.Errorf("Kubernetes version %s cannot be served: only %d.%d to %d.%d can",
			text, oldest.Major(), oldest.Minor(), newest.Major(), newest.Minor())
	}
	return version{wanted}, nil
}

// newest is the version this binary is stamped with or, when it was built
// without a stamp as tests are, the first of the minor version it is made of.
func newest() (*machineryversion.Version, error) {
	stamped, err := machineryversion.ParseSemantic(componentversion.Get().GitVersion)
	if err == nil && stamped.Major() > 0 {
		return stamped, nil
	}
	return machineryversion.ParseSemantic(componentversion.DefaultKubeBinaryVersion + ".0")
}

func (v version) minor() string { return fmt.Sprintf("%d.%d", v.Major(), v.Minor()) }

// reported answers /version with the cluster's version instead of the binary's.
type reported struct {
	basecompatibility.EffectiveVersion
	version version
}

func (r reported) Info() *apimachineryversion.Info {
	info := r.EffectiveVersion.Info()
	info.Major, info.Minor = fmt.Sprint(r.version.Major()), fmt.Sprint(r.version.Minor())
	info.GitVersion = "v" + r.version.String()
	return info
}
