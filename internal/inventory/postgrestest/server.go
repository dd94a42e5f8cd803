package postgrestest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// startLimit is how long a server may take to answer, on a busy machine.
const startLimit = 2 * time.Minute

// script makes a database cluster and serves it until its input ends, which it
// does when the test binary does. Arguments: folder of the programs, folder
// for the data.
const script = `
bin=$1 dir=$2
"$bin/initdb" --pgdata="$dir/data" --username=postgres --auth=trust --encoding=UTF8 --locale=C --no-sync || exit 1
"$bin/postgres" -D "$dir/data" -k "$dir" -c listen_addresses= -c fsync=off -c synchronous_commit=off \
	-c full_page_writes=off -c max_connections=200 -c shared_buffers=32MB </dev/null &
server=$!
cat >/dev/null
kill -INT $server
wait $server
rm -rf "$dir"
`

// server is the test binary's PostgreSQL.
type server struct {
	folder  string
	input   io.Closer
	exited  chan struct{} // closed when the script has ended
	counter atomic.Int64
}

var shared struct {
	sync.Mutex
	server *server
	err    error
}

// errAbsent says that the machine has no PostgreSQL.
var errAbsent = errors.New("PostgreSQL's server programs are not installed")

// Database returns the address of a fresh database, dropped when the test
// ends. Without PostgreSQL on the machine the test is skipped, or fails when
// MERIDIAN_REQUIRE_POSTGRES is set.
func Database(t testing.TB) string {
	t.Helper()
	s, err := sharedServer()
	if errors.Is(err, errAbsent) && os.Getenv("MERIDIAN_REQUIRE_POSTGRES") == "" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("test%d", s.counter.Add(1))
	s.execute(t, "CREATE DATABASE "+name)
	t.Cleanup(func() { s.execute(t, "DROP DATABASE "+name+" WITH (FORCE)") })
	return s.address(name)
}

// Main runs a package's tests and then waits until the server is gone. Without
// it the server still goes, a moment after the binary.
func Main(m *testing.M) {
	code := m.Run()
	shared.Lock()
	if shared.server != nil {
		shared.server.stop()
	}
	os.Exit(code)
}

func sharedServer() (*server, error) {
	shared.Lock()
	defer shared.Unlock()
	if shared.server == nil && shared.err == nil {
		shared.server, shared.err = start()
	}
	return shared.server, shared.err
}

// start makes a folder and serves a new database cluster in it.
func start() (*server, error) {
	programs, err := findPrograms()
	if err != nil {
		return nil, err
	}
	folder, err := os.MkdirTemp("", "pg")
	if err != nil {
		return nil, err
	}
	attributes, err := unprivileged(folder)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(folder))
	}
	log, err := os.Create(filepath.Join(folder, "log")) //nolint:gosec // a folder of our own
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(folder))
	}
	defer func() { _ = log.Close() }() // the script has its own
	command := exec.Command("/bin/sh", "-c", script, "sh", programs, folder)
	command.Dir, command.Stdout, command.Stderr, command.SysProcAttr = folder, log, log, attributes
	input, err := command.StdinPipe()
	if err == nil {
		err = command.Start()
	}
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(folder))
	}
	s := &server{folder: folder, input: input, exited: make(chan struct{})}
	go func() {
		defer close(s.exited)
		_ = command.Wait() // whether it worked shows in whether it answers
	}()
	return s, s.ready()
}

// findPrograms returns the folder of initdb and postgres.
func findPrograms() (string, error) {
	candidates, _ := filepath.Glob("/usr/lib/postgresql/*/bin")
	slices.Reverse(candidates) // the newest first
	if path, err := exec.LookPath("initdb"); err == nil {
		candidates = append([]string{filepath.Dir(path)}, candidates...)
	}
	for _, candidate := range candidates {
		if _, err := os.Stat(filepath.Join(candidate, "postgres")); err == nil {
			return candidate, nil
		}
	}
	return "", errAbsent
}

// unprivileged lets the server run as user postgres when we are root, as which
// it refuses to run. A group of its own keeps Ctrl-C from it: it ends in order.
func unprivileged(folder string) (*syscall.SysProcAttr, error) {
	attributes := &syscall.SysProcAttr{Setpgid: true}
	if os.Geteuid() != 0 {
		return attributes, nil
	}
	account, err := user.Lookup("postgres")
	if err != nil {
		return nil, err
	}
	uid, errUser := strconv.ParseUint(account.Uid, 10, 32)
	gid, errGroup := strconv.ParseUint(account.Gid, 10, 32)
	if err := errors.Join(errUser, errGroup); err != nil {
		return nil, err
	}
	attributes.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return attributes, os.Chown(folder, int(uid), int(gid))
}

// ready waits until the server answers.
func (s *server) ready() error {
	ctx, cancel := context.WithTimeout(context.Background(), startLimit)
	defer cancel()
	retry := time.NewTicker(20 * time.Millisecond)
	defer retry.Stop()
	for {
		connection, err := pgx.Connect(ctx, s.address("postgres"))
		if err == nil {
			return connection.Close(ctx)
		}
		select {
		case <-retry.C:
			continue
		case <-s.exited:
		case <-ctx.Done():
		}
		log, _ := os.ReadFile(filepath.Join(s.folder, "log")) // what there is of it
		s.stop()
		return errors.Join(fmt.Errorf("PostgreSQL does not answer: %w\n%s", err, strings.TrimSpace(string(log))), os.RemoveAll(s.folder))
	}
}

// stop ends the server and waits until it and its folder are gone.
func (s *server) stop() {
	_ = s.input.Close() // tells the script
	<-s.exited
}

func (s *server) address(database string) string {
	parameters := url.Values{"host": {s.folder}, "user": {"postgres"}, "sslmode": {"disable"}}
	return "postgres:///" + database + "?" + parameters.Encode()
}

func (s *server) execute(t testing.TB, statement string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), startLimit)
	defer cancel()
	connection, err := pgx.Connect(ctx, s.address("postgres"))
	if err != nil {
		t.Errorf("reach PostgreSQL: %v", err)
		return
	}
	defer func() { _ = connection.Close(ctx) }() // nothing is pending on it
	if _, err := connection.Exec(ctx, statement); err != nil {
		t.Errorf("%s: %v", statement, err)
	}
}
