package follow

import (
	"context"
	"errors"
	"time"

	"connectrpc.com/connect"

	fleetv1 "github.com/meridian-fleet/meridian/api/fleet/v1"
	"github.com/meridian-fleet/meridian/api/fleet/v1/fleetv1connect"
	"github.com/meridian-fleet/meridian/internal/cli/output"
	"github.com/meridian-fleet/meridian/internal/fleet"
)

const (
	firstPause   = 200 * time.Millisecond
	longestPause = 5 * time.Second

	// The daemon sends keep-alives. When nothing comes for this long the
	// connection is dead, even if the network has not noticed.
	silence = 45 * time.Second
)

// Follower follows the fleet's changes.
type Follower struct {
	// Connect makes a client; it is called anew after each loss of the daemon.
	Connect func() (fleetv1connect.FleetServiceClient, error)
	// Kinds that are of interest.
	Kinds []fleet.Kind
	// Load reads the present state and returns the revision to follow from.
	Load func(context.Context, fleetv1connect.FleetServiceClient) (revision int64, err error)
	// Change takes one change and reports whether all is done.
	Change func(fleet.Change) (done bool, err error)
	// Lost and Back are told when the daemon goes away and answers again.
	Lost func(error)
	Back func()
}

// Run returns nil when Load finds all done (revision Finished), or Change
// says so; otherwise the context's error, or one that no waiting mends.
func (f *Follower) Run(ctx context.Context) error {
	session := session{Follower: f, pause: firstPause}
	for {
		done, err := session.once(ctx)
		switch {
		case done:
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil && !Passing(err):
			return err
		}
		if err := session.rest(ctx, err); err != nil {
			return err
		}
	}
}

// Finished is what Load returns for a revision when there is nothing to wait for.
const Finished int64 = -1

// Passing reports whether an error may go away by waiting.
func Passing(err error) bool { return errors.Is(err, fleet.ErrUnavailable) }

type session struct {
	*Follower
	loaded   bool
	revision int64
	lost     bool
	pause    time.Duration
}

// once loads the state if need be and follows until the stream ends.
func (s *session) once(ctx context.Context) (done bool, err error) {
	client, err := s.Connect()
	if err != nil {
		return false, err
	}
	if !s.loaded {
		if s.revision, err = s.Load(ctx, client); err != nil {
			return false, err
		}
		s.loaded = true
		s.answered()
	}
	if s.revision == Finished {
		return true, nil
	}
	return s.stream(ctx, client)
}

func (s *session) stream(ctx context.Context, client fleetv1connect.FleetServiceClient) (done bool, err error) {
	alive, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watchdog := time.AfterFunc(silence, func() {
		cancel(fleet.Errorf(fleet.ErrUnavailable, "nothing heard from fleetd for %s", silence))
	})
	defer watchdog.Stop()

	stream, err := client.Watch(alive, connect.NewRequest(&fleetv1.WatchRequest{Kinds: s.kindNames(), AfterRevision: s.revision}))
	if err != nil {
		return false, err
	}
	defer stream.Close()
	for stream.Receive() {
		watchdog.Reset(silence)
		s.answered()
		if done, err := s.receive(stream.Msg().GetChange()); done || err != nil {
			return done, err
		}
	}
	if ctx.Err() == nil && alive.Err() != nil {
		return false, context.Cause(alive)
	}
	return false, stream.Err()
}

func (s *session) receive(message *fleetv1.Change) (done bool, err error) {
	if message == nil {
		return false, nil
	}
	change, err := decode(message)
	if err != nil {
		return false, err
	}
	s.revision = max(s.revision, change.Revision)
	return s.Change(change)
}

func (s *session) kindNames() []string {
	names := make([]string, len(s.Kinds))
	for i, kind := range s.Kinds {
		names[i] = string(kind)
	}
	return names
}

func (s *session) answered() {
	if s.lost {
		s.lost = false
		s.Back()
	}
	s.pause = firstPause
}

// rest pauses before the next attempt, longer each time.
func (s *session) rest(ctx context.Context, err error) error {
	if err != nil && !s.lost {
		s.lost = true
		s.Lost(err)
	}
	timer := time.NewTimer(s.pause)
	defer timer.Stop()
	s.pause = min(2*s.pause, longestPause)
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// decode reads a change; its before is left out, followers do not need it.
func decode(message *fleetv1.Change) (fleet.Change, error) {
	change := fleet.Change{
		Revision: message.GetRevision(),
		At:       message.GetAt().AsTime(),
		Actor:    message.GetActor(),
		Action:   message.GetAction(),
		Ref:      fleet.Ref{Kind: fleet.Kind(message.GetKind()), Name: message.GetName()},
	}
	if message.GetAfter() == nil {
		return change, nil
	}
	resource, err := output.Resource(message.GetAfter())
	change.After = &resource
	return change, err
}
