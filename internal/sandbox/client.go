package sandbox

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// Client talks to a running sandbox.
type Client struct {
	stateDir string
	http     *http.Client
}

func newClient(stateDir, socket string) *Client {
	dialer := &net.Dialer{}
	return &Client{stateDir: stateDir, http: &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true, // a connection kept would be one the sandbox waits for
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, "unix", socket)
		},
	}}}
}

// Find returns a client of the sandbox that runs on a state folder, or an
// ErrNotFound error when none does. It may be starting still.
func Find(ctx context.Context, stateDir string) (*Client, error) {
	none := func(cause error) error {
		return fleet.Errorf(fleet.ErrNotFound, "no sandbox runs here: %w", cause).On("sandbox " + stateDir)
	}
	socket, err := socketPath(folder(stateDir))
	if err != nil {
		return nil, none(err)
	}
	client := newClient(stateDir, socket)
	if _, err := client.Status(ctx); err != nil {
		if ctx.Err() != nil {
			return nil, err
		}
		return nil, none(err)
	}
	return client, nil
}

// Status asks the sandbox for its state.
func (c *Client) Status(ctx context.Context) (Status, error) {
	var status Status
	err := c.call(ctx, http.MethodGet, "/status", &status)
	return status, err
}

// WaitReady waits until the sandbox is ready.
func (c *Client) WaitReady(ctx context.Context) error {
	return poll(ctx, func() (bool, error) {
		status, err := c.Status(ctx)
		return status.Ready, err
	})
}

// ManagementKubeconfig is the path of the management cluster's kubeconfig.
func (c *Client) ManagementKubeconfig() string { return folder(c.stateDir).kubeconfig() }

// Stop ends the sandbox and all its control planes, keeps their data, and waits
// until the process is gone.
func (c *Client) Stop(ctx context.Context) error {
	status, err := c.Status(ctx)
	if err != nil {
		return err
	}
	if err := c.call(ctx, http.MethodPost, "/stop", nil); err != nil {
		return err
	}
	return poll(ctx, func() (bool, error) { return !alive(status.PID), nil })
}

// Kill ends a control plane at once, as a crash would; it comes back by itself.
func (c *Client) Kill(ctx context.Context, controlPlane string) error {
	return c.act(ctx, controlPlane, actionKill)
}

// StopControlPlane ends a control plane and keeps it down.
func (c *Client) StopControlPlane(ctx context.Context, controlPlane string) error {
	return c.act(ctx, controlPlane, actionStop)
}

// StartControlPlane brings a stopped control plane back.
func (c *Client) StartControlPlane(ctx context.Context, controlPlane string) error {
	return c.act(ctx, controlPlane, actionStart)
}

func (c *Client) act(ctx context.Context, controlPlane, action string) error {
	return c.call(ctx, http.MethodPost, "/controlplanes/"+url.PathEscape(controlPlane)+"/"+action, nil)
}

func (c *Client) call(ctx context.Context, method, path string, result any) error {
	request, err := http.NewRequestWithContext(ctx, method, "http://sandbox"+path, nil)
	if err != nil {
		return err
	}
	response, err := c.http.Do(request)
	if err != nil {
		return fleet.Errorf(fleet.ErrUnavailable, "the sandbox does not answer: %w", err).On("sandbox " + c.stateDir)
	}
	defer func() { _ = response.Body.Close() }()
	var body bytes.Buffer
	if _, err := body.ReadFrom(response.Body); err != nil {
		return fleet.Errorf(fleet.ErrUnavailable, "the sandbox's answer: %w", err).On("sandbox " + c.stateDir)
	}
	if response.StatusCode >= http.StatusBadRequest {
		return remoteError(response.StatusCode, body.Bytes())
	}
	if result == nil {
		return nil
	}
	return json.Unmarshal(body.Bytes(), result)
}

func remoteError(code int, body []byte) error {
	var sent failure
	if err := json.Unmarshal(body, &sent); err != nil || sent.Error == "" {
		sent = failure{Error: fmt.Sprintf("the sandbox answered %d %s", code, http.StatusText(code))}
	}
	return &fleet.Error{Kind: fleet.KindNamed(sent.Kind), Message: sent.Error}
}

const pollInterval = 100 * time.Millisecond

// poll repeats check until it is true, fails, or ctx ends.
func poll(ctx context.Context, check func() (bool, error)) error {
	ticker := time.NewTicker(pollInterval)
	defer ticker.Stop()
	for {
		done, err := check()
		if done || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
	}
}

// tail returns the end of a file.
func tail(path string, bytes int64) string {
	file, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer func() { _ = file.Close() }()
	size, err := file.Seek(0, 2)
	if err != nil {
		return ""
	}
	content := make([]byte, min(size, bytes))
	if _, err := file.ReadAt(content, size-int64(len(content))); err != nil {
		return ""
	}
	return string(content)
}
