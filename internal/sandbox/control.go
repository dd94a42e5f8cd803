package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// controls is what the control socket lets a client do.
type controls interface {
	Status() Status
	Stop()
	// Act kills, stops or starts a control plane.
	Act(ctx context.Context, controlPlane, action string) error
}

// The actions on a control plane.
const (
	actionKill  = "kill"  // end it at once; it comes back by itself
	actionStop  = "stop"  // end it and keep it down
	actionStart = "start" // bring a stopped one back
)

// failure is an error on the wire.
type failure struct {
	Kind  string `json:"kind"`
	Error string `json:"error"`
}

// serveControl answers clients until the returned function is called.
func serveControl(listener net.Listener, controls controls) (shutdown func()) {
	routes := http.NewServeMux()
	routes.HandleFunc("GET /status", func(response http.ResponseWriter, _ *http.Request) {
		answer(response, http.StatusOK, controls.Status())
	})
	routes.HandleFunc("POST /stop", func(response http.ResponseWriter, _ *http.Request) {
		answer(response, http.StatusAccepted, struct{}{})
		controls.Stop()
	})
	routes.HandleFunc("POST /controlplanes/{name}/{action}", func(response http.ResponseWriter, request *http.Request) {
		err := controls.Act(request.Context(), request.PathValue("name"), request.PathValue("action"))
		if err != nil {
			answer(response, statusCode(err), failure{Kind: fleet.KindOf(err).Error(), Error: err.Error()})
			return
		}
		answer(response, http.StatusOK, struct{}{})
	})
	server := &http.Server{Handler: routes, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = server.Serve(listener) }()
	return func() { _ = server.Close() }
}

func answer(response http.ResponseWriter, code int, body any) {
	response.Header().Set("Content-Type", "application/json")
	response.WriteHeader(code)
	_ = json.NewEncoder(response).Encode(body)
}

func statusCode(err error) int {
	switch {
	case errors.Is(err, fleet.ErrNotFound):
		return http.StatusNotFound
	case errors.Is(err, fleet.ErrInvalid):
		return http.StatusBadRequest
	case errors.Is(err, fleet.ErrUnavailable):
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

// resolve finds a control plane by its name, or by its Cluster's when only one
// namespace has a Cluster of that name.
func resolve(controlPlanes []ControlPlane, name string) (string, error) {
	var found []string
	for _, controlPlane := range controlPlanes {
		if controlPlane.Name == name {
			return name, nil
		}
		if _, cluster, ok := strings.Cut(controlPlane.Name, "."); ok && cluster == name {
			found = append(found, controlPlane.Name)
		}
	}
	switch len(found) {
	case 0:
		return "", fleet.Errorf(fleet.ErrNotFound, "no such control plane").On("control plane " + name)
	case 1:
		return found[0], nil
	}
	return "", fleet.Errorf(fleet.ErrInvalid, "several control planes have this cluster name").
		On("control plane "+name).Advise("use one of %s", strings.Join(found, ", "))
}
