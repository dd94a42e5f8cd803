package server

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// Check asks one thing fleetd needs whether it is there.
type Check struct {
	Name string
	Ask  func(context.Context) error
}

const checkTimeout = 3 * time.Second

// healthz answers while the process does.
func (s *Server) healthz(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") }

// readyz names everything that is needed and whether it answers. Why it does
// not is for the log: anybody may ask here.
func (s *Server) readyz(w http.ResponseWriter, r *http.Request) {
	failures := s.runChecks(r.Context())
	if len(failures) > 0 {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	for _, check := range s.Checks {
		outcome := "ok"
		if err, failed := failures[check.Name]; failed {
			outcome = "unavailable"
			s.Logger.WarnContext(r.Context(), "not ready", "check", check.Name, "error", err)
		}
		fmt.Fprintf(w, "%s: %s\n", check.Name, outcome)
	}
}

func (s *Server) runChecks(ctx context.Context) map[string]error {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	failures := map[string]error{}
	var mutex sync.Mutex
	var running sync.WaitGroup
	for _, check := range s.Checks {
		running.Go(func() {
			if err := check.Ask(ctx); err != nil {
				mutex.Lock()
				defer mutex.Unlock()
				failures[check.Name] = err
			}
		})
	}
	running.Wait()
	return failures
}
