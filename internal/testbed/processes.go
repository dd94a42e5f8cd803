package testbed

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Processes returns the pids of the living processes that run one of the
// binaries for this fleet and have every one of the words among their
// arguments.
func (f *Fleetd) Processes(binary string, words ...string) []int {
	var found []int
	folders, _ := filepath.Glob("/proc/[0-9]*")
	for _, folder := range folders {
		command, err := os.ReadFile(filepath.Join(folder, "cmdline"))
		if err != nil || len(command) == 0 {
			continue // it ended meanwhile, or is a zombie
		}
		arguments := bytes.Split(bytes.TrimRight(command, "\x00"), []byte{0})
		if filepath.Base(string(arguments[0])) != binary || !f.owns(folder, command) || !hasAll(arguments, words) {
			continue
		}
		if pid, err := strconv.Atoi(filepath.Base(folder)); err == nil {
			found = append(found, pid)
		}
	}
	return found
}

// owns reports whether a process belongs to this fleet: it names the data
// folder, or its parent does.
func (f *Fleetd) owns(folder string, command []byte) bool {
	if bytes.Contains(command, []byte(f.DataDir)) {
		return true
	}
	status, err := os.ReadFile(filepath.Join(folder, "status"))
	if err != nil {
		return false
	}
	_, rest, _ := strings.Cut(string(status), "\nPPid:\t")
	parent, _, _ := strings.Cut(rest, "\n")
	command, err = os.ReadFile(filepath.Join("/proc", parent, "cmdline"))
	return err == nil && bytes.Contains(command, []byte(f.DataDir))
}

func hasAll(arguments [][]byte, words []string) bool {
	for _, word := range words {
		found := false
		for _, argument := range arguments {
			found = found || strings.Contains(string(argument), word)
		}
		if !found {
			return false
		}
	}
	return true
}
