package box

import (
	"path/filepath"
	"regexp"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// layout knows where things are under a host's directory. Processes run in that
// directory and are given relative paths, since the path of a unix socket may
// have no more than about a hundred characters.
type layout struct{ root string }

const (
	etcdSocket       = "etcd.sock"
	etcdData         = "etcd"
	etcdLog          = "etcd.log"
	clustersDir      = "clusters"
	removedDir       = "removed"
	logsDir          = "logs"
	kubeconfigFile   = "admin.kubeconfig"
	versionFile      = "version"
	longestName      = 100
	etcdPrefixOfAll  = "/clusters/"
	ownerReadsWrites = 0o600
	ownerEnters      = 0o700
)

func (l layout) path(parts ...string) string {
	return filepath.Join(append([]string{l.root}, parts...)...)
}

func (l layout) lock() string                   { return l.path("lock") }
func (l layout) clusters() string               { return l.path(clustersDir) }
func (l layout) cluster(name string) string     { return l.path(clustersDir, name) }
func (l layout) removed() string                { return l.path(removedDir) }
func (l layout) removedCluster(n string) string { return l.path(removedDir, n) }
func (l layout) kubeconfig(name string) string  { return l.path(clustersDir, name, kubeconfigFile) }
func (l layout) version(name string) string     { return l.path(clustersDir, name, versionFile) }
func (l layout) log(name string) string         { return l.path(logsDir, name+".log") }

func relative(name string) string { return filepath.Join(clustersDir, name) }
func prefix(name string) string   { return etcdPrefixOfAll + name }

var validName = regexp.MustCompile(`^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$`)

// checkName keeps a name from leaving its directory or its part of etcd.
func checkName(name string) error {
	if len(name) > longestName || !validName.MatchString(name) {
		return fleet.Errorf(fleet.ErrInvalid, "a control plane cannot be called %q", name).
			Advise("use at most %d lower-case letters, digits, dots and dashes", longestName)
	}
	return nil
}
