package plugin

import (
	"io"
	"os"
	"strconv"
	"syscall"
	"time"

	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
)

// A host gives each plugin the read end of a pipe and keeps the write end open
// for as long as it lives. The kernel closes it however the host ends, SIGKILL
// included, and the plugin reads the end of the file.
const (
	lifelineVariable = "MERIDIAN_PROVIDER_LIFELINE"
	lifelineNumber   = 3 // the first file after stdin, stdout and stderr
)

// parentCheckInterval is for hosts that give no pipe: a plugin whose parent
// changed has lost its host.
const parentCheckInterval = time.Second

// exitGrace is how long calls under way may hold up the end.
const exitGrace = 3 * time.Second

type lifeline struct {
	pipe   *os.File // nil: the host gave none
	parent int
}

// openLifeline is called first thing, while the parent is still the host.
func openLifeline() lifeline {
	line := lifeline{parent: os.Getppid()}
	if number, err := strconv.Atoi(os.Getenv(lifelineVariable)); err == nil && number > 2 {
		syscall.CloseOnExec(number)
		line.pipe = os.NewFile(uintptr(number), "lifeline")
	}
	return line
}

// stopWithHost waits for the host's end, then stops the server, which makes
// Serve return and remove its socket. A provider that hangs is cut off.
func (l lifeline) stopWithHost(server *grpc.Server) {
	l.wait()
	time.AfterFunc(exitGrace, func() { os.Exit(1) })
	server.Stop()
	removeSocketDirectory()
	os.Exit(0)
}

func (l lifeline) wait() {
	if l.pipe != nil {
		_, _ = io.Copy(io.Discard, l.pipe)
		return
	}
	for range time.Tick(parentCheckInterval) {
		if os.Getppid() != l.parent {
			return
		}
	}
}

// removeSocketDirectory takes away what the host made and can no longer clean
// up. It fails, as it should, on a folder that has something else in it.
func removeSocketDirectory() {
	if directory := os.Getenv(goplugin.EnvUnixSocketDir); directory != "" {
		_ = os.Remove(directory)
	}
}
