package baseline

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// How long a run bears with a cluster that does not answer, and with an
// admission policy that is not in force yet, before it reports them.
const (
	unreachableLimit = 10 * time.Second
	admissionLimit   = 10 * time.Second
)

// The rests between two tries.
const (
	firstRest   = 25 * time.Millisecond
	longestRest = 2 * time.Second
)

// sending is the applying of one object, with what it learned from failures.
type sending struct {
	*run
	wanted  *wantedObject
	force   bool
	looked  bool // for the kind, in vain
	failing time.Time
}

// send applies one object, trying again while that can help.
func (r *run) send(ctx context.Context, wanted *wantedObject) error {
	s := &sending{run: r, wanted: wanted}
	for rest := firstRest; ; rest = min(2*rest, longestRest) {
		again, err := s.try(ctx)
		if err == nil && !again {
			r.note(wanted.key, "")
			return nil
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err == nil {
			rest = firstRest
			continue
		}
		if !s.worthRetrying(err) {
			return s.finalFault(err)
		}
		r.note(wanted.key, plainReason(err))
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(rest):
		}
	}
}

// try applies the object once. It asks for another try at once after it
// cleared what was in the way.
func (s *sending) try(ctx context.Context) (again bool, err error) {
	at, err := s.cluster.kinds.find(ctx, s.wanted.kind(), s.looked)
	if err != nil {
		s.looked = true
		return false, err
	}
	live, created, err := s.apply(ctx, at)
	switch {
	case err == nil && live.GetDeletionTimestamp() != nil:
		s.note(s.wanted.key, "the former object of this name is still being deleted")
		return true, s.cluster.waitGone(ctx, at, live)
	case err == nil:
		return false, s.applied(ctx, live, created)
	case !s.force && s.seen.mayForce(s.wanted, conflictsOf(err)):
		s.force = true
		return true, nil
	case apierrors.IsInvalid(err):
		return s.replace(ctx, at, err)
	case apierrors.IsInternalError(err):
		return false, s.cluster.diagnose(ctx, at, s.wanted, err)
	}
	return false, err
}

func (s *sending) apply(ctx context.Context, at resource) (*unstructured.Unstructured, bool, error) {
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	case <-ctx.Done():
		return nil, false, context.Cause(ctx)
	}
	return s.cluster.client.apply(ctx, at, s.wanted.key.namespace, s.wanted.key.name, s.wanted.body, applyOptions{force: s.force})
}

// applied notes what became of the object.
func (s *sending) applied(ctx context.Context, live *unstructured.Unstructured, created bool) error {
	s.watched.put(live)
	before, known := s.seen.live[s.wanted.key]
	entry, recorded := s.seen.record.entries[s.wanted.key]
	// When an answer was lost, the request before this one may have made it.
	created = created || !known && entry.fields == nil && !s.failing.IsZero()
	done := outcome{action: "update", adopted: recorded && entry.Adopted && !created, fields: ownedFields(live)}
	switch {
	case created:
		done.action = "create"
	case known && before.GetResourceVersion() == live.GetResourceVersion():
		done.action = "unchanged"
	}
	isNew := !created && !known && entry.fields == nil && ownedByOthers(live)
	done.adopted = done.adopted || isNew
	s.mu.Lock()
	s.outcomes[s.wanted.key] = done
	s.mu.Unlock()
	if isNew {
		return s.recordAdopted(ctx, s.wanted)
	}
	return nil
}

// replace handles an object that the server finds invalid. If it is valid in
// itself, and only not as a change of the live one, it is made anew where that
// is allowed.
func (s *sending) replace(ctx context.Context, at resource, invalid error) (again bool, err error) {
	if !s.cluster.isImmutableChange(ctx, at, s.wanted) {
		return false, invalid
	}
	if !s.wanted.replaceable() {
		return false, immutableFault(s.wanted.key, invalid)
	}
	live, err := s.cluster.client.get(ctx, at, s.wanted.key.namespace, s.wanted.key.name)
	if err != nil {
		return apierrors.IsNotFound(err), ignoreNotFound(err)
	}
	if !managedByUs(live) {
		return false, immutableFault(s.wanted.key, invalid)
	}
	if err := s.cluster.client.delete(ctx, at, live); err != nil {
		return apierrors.IsNotFound(err), ignoreNotFound(err)
	}
	return true, s.cluster.waitGone(ctx, at, live)
}

func ignoreNotFound(err error) error {
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

func immutableFault(key objectKey, err error) error {
	return fleet.Errorf(fleet.ErrConflict, "cannot be changed in place: %w", err).On(key.String()).
		Advise("delete it, or annotate it with %s: \"true\" to have it deleted and made anew", AnnotationReplace)
}

// isImmutableChange reports whether an object that was refused as a change
// would do as a new object: then the server says, instead of finding fault
// with it, that one of its name exists.
func (c *Cluster) isImmutableChange(ctx context.Context, at resource, wanted *wantedObject) bool {
	_, err := c.client.create(ctx, at, wanted.object, true)
	return apierrors.IsAlreadyExists(err)
}

// diagnose finds out whether the server failed because of the object: applying
// one with unknown fields is an internal error, creating it says what is wrong.
func (c *Cluster) diagnose(ctx context.Context, at resource, wanted *wantedObject, failure error) error {
	_, err := c.client.create(ctx, at, wanted.object, true)
	if apierrors.IsBadRequest(err) || apierrors.IsInvalid(err) {
		return err
	}
	return failure
}

// worthRetrying reports whether the same request may succeed later in this run.
func (s *sending) worthRetrying(err error) bool {
	limit := time.Duration(0)
	switch {
	case unreachable(err), errors.Is(err, context.DeadlineExceeded):
		limit = unreachableLimit
	case admissionNotReady(err):
		limit = admissionLimit
	case serverBusy(err), notYet(err):
		limit = s.options.ReadyTimeout
	}
	if limit == 0 || s.failing.IsZero() {
		s.failing = time.Now()
		return limit > 0
	}
	return time.Since(s.failing) < limit
}

// finalFault reports an error that ends the run.
func (s *sending) finalFault(err error) error {
	if conflicts := conflictsOf(err); len(conflicts) > 0 {
		err = conflictFault(s.wanted.key.String(), conflicts)
	} else if deniedByAdmission(err) {
		err = fleet.Errorf(fleet.ErrDenied, "%w", err).On(s.wanted.key.String())
	} else {
		err = clusterFault(s.wanted.key.String(), "apply", err)
	}
	reason := err.Error()
	var known *fleet.Error
	if errors.As(err, &known) {
		reason = known.Message
	}
	s.block(fleet.BlockingObject{Component: s.wanted.component, Object: s.wanted.key.String(), Reason: reason})
	return err
}

// deniedByAdmission reports whether a policy or webhook refused the object.
func deniedByAdmission(err error) bool {
	return (apierrors.IsInvalid(err) || apierrors.IsForbidden(err) || apierrors.IsBadRequest(err)) &&
		(strings.Contains(err.Error(), "denied request") || strings.Contains(err.Error(), "denied the request"))
}

// admissionNotReady reports whether a policy refused only because its
// parameters, which may have been applied a moment ago, are not known yet.
func admissionNotReady(err error) bool {
	return deniedByAdmission(err) && strings.Contains(err.Error(), "no params found")
}

// plainReason is an error as the reason an object is waited for.
func plainReason(err error) string {
	return strings.TrimSuffix(err.Error(), ".")
}

// note keeps why an object could not be applied yet; an empty reason clears it.
func (r *run) note(key objectKey, reason string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if reason == "" {
		delete(r.waits, key)
		return
	}
	r.waits[key] = reason
}

func (r *run) block(object fleet.BlockingObject) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !slices.Contains(r.blocking, object) {
		r.blocking = append(r.blocking, object)
	}
}
