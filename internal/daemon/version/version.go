package version

import (
	"runtime"
	"runtime/debug"
)

// Version is set by the linker.
var Version = "dev"

// Commit is the source's revision, empty when the binary was built outside a
// repository.
func Commit() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	commit, modified := "", ""
	for _, setting := range info.Settings {
		switch {
		case setting.Key == "vcs.revision":
			commit = setting.Value
		case setting.Key == "vcs.modified" && setting.Value == "true":
			modified = "-dirty"
		}
	}
	if commit == "" {
		return ""
	}
	return commit + modified
}

// Go is the toolchain's version.
func Go() string { return runtime.Version() }
