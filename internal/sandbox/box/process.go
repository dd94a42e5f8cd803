package box

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"
)

const (
	// terminationTimeout is what a process is given to end by itself.
	terminationTimeout = 5 * time.Second

	// longestLog is the size beyond which a log starts anew with its process.
	longestLog = 8 << 20

	exitMisused = 2 // kubebox: the same arguments will fail again
)

// errMisused is how a process ends that was given arguments it cannot work with.
var errMisused = errors.New("cannot run as asked")

// specification is how to start a process.
type specification struct {
	binary    string
	arguments []string
	dir       string
	log       string // file its standard error goes to
}

// process is a running kubebox process. Its standard input is the lifeline that
// ends it with this process.
type process struct {
	command  *exec.Cmd
	lifeline io.Closer
	ready    chan string   // receives the endpoint once it serves
	exited   chan struct{} // closed when it has ended
	failure  error         // why it ended; read after exited
	logFile  string
}

// launch starts a process; what it writes goes to its log.
func launch(spec specification) (*process, error) {
	log, err := openLog(spec.log)
	if err != nil {
		return nil, err
	}
	defer log.Close() // the child has its own
	command := exec.Command(spec.binary, append(spec.arguments, "--exit-with-stdin")...)
	command.Dir = spec.dir
	command.Stderr = log
	// An interrupt at the terminal is for this process to pass on, in order.
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	lifeline, err := command.StdinPipe()
	if err != nil {
		return nil, err
	}
	output, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := command.Start(); err != nil {
		return nil, err
	}
	started := &process{
		command:  command,
		lifeline: lifeline,
		ready:    make(chan string, 1),
		exited:   make(chan struct{}),
		logFile:  spec.log,
	}
	go started.follow(output)
	return started, nil
}

func openLog(path string) (*os.File, error) {
	flags := os.O_CREATE | os.O_WRONLY | os.O_APPEND
	if info, err := os.Stat(path); err == nil && info.Size() > longestLog {
		flags |= os.O_TRUNC
	}
	return os.OpenFile(path, flags, ownerReadsWrites)
}

// follow reads what the process prints until it ends.
func (p *process) follow(output io.Reader) {
	lines := bufio.NewScanner(output)
	for lines.Scan() {
		var announced struct{ Endpoint string }
		if json.Unmarshal(lines.Bytes(), &announced) == nil && announced.Endpoint != "" {
			select {
			case p.ready <- announced.Endpoint:
			default: // announced before
			}
		}
	}
	_, _ = io.Copy(io.Discard, output) // a line too long for the scanner
	p.failure = p.explain(p.command.Wait())
	close(p.exited)
}

// explain adds the last line the process logged to the way it ended.
func (p *process) explain(err error) error {
	if err == nil {
		err = errors.New("ended by itself")
	}
	if code := p.command.ProcessState.ExitCode(); code == exitMisused {
		err = errMisused
	}
	if last := lastLine(p.logFile); last != "" {
		return fmt.Errorf("%w: %s", err, last)
	}
	return err
}

func (p *process) id() int { return p.command.Process.Pid }

// kill ends the process at once.
func (p *process) kill() { _ = p.command.Process.Kill() } // an error means that it has ended

// stop ends the process, by force if it takes too long, and returns when it has
// ended.
func (p *process) stop() {
	_ = p.command.Process.Signal(syscall.SIGTERM) // an error means that it has ended
	p.lifeline.Close()
	select {
	case <-p.exited:
	case <-time.After(terminationTimeout):
		p.kill()
		<-p.exited
	}
}
