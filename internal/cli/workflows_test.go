package cli_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// scripted stands in for Temporal: it notes what it is asked, and a workflow
// that is waited for answers with the file WORKFLOW.json of the test, or fails
// with what WORKFLOW.error says, KIND: MESSAGE.
type scripted struct {
	folder  string
	mutex   sync.Mutex
	calls   []string
	running map[string]bool
}

func (s *scripted) note(format string, args ...any) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.calls = append(s.calls, fmt.Sprintf(format, args...))
}

// take returns what was asked since it was last called.
func (s *scripted) take() string {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	calls := strings.Join(s.calls, "\n")
	s.calls = nil
	return calls + "\n"
}

func (s *scripted) Start(_ context.Context, id, workflow string, _ any) error {
	s.note("start %s %s", workflow, id)
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.running[id] = true
	return nil
}

func (s *scripted) Execute(ctx context.Context, _, workflow string, input, result any) error {
	asked, err := json.Marshal(input)
	if err != nil {
		return err
	}
	s.note("execute %s %s", workflow, asked)
	if failure, err := os.ReadFile(filepath.Join(s.folder, workflow+".error")); err == nil {
		kind, message, _ := strings.Cut(strings.TrimSpace(string(failure)), ": ")
		return fleet.Errorf(fleet.KindNamed(kind), "%s", message)
	}
	answer, err := os.ReadFile(filepath.Join(s.folder, workflow+".json"))
	switch {
	case errors.Is(err, fs.ErrNotExist): // never ends
		<-ctx.Done()
		return ctx.Err()
	case err != nil || result == nil:
		return err
	}
	return json.Unmarshal(answer, result)
}

func (s *scripted) Signal(_ context.Context, id, signal string, payload any) error {
	s.mutex.Lock()
	running := s.running[id]
	s.mutex.Unlock()
	if !running {
		return fleet.Errorf(fleet.ErrNotFound, "no such workflow runs")
	}
	content, err := json.Marshal(payload)
	s.note("signal %s %s %s", id, signal, content)
	return err
}
