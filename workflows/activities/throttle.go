package activities

import (
	"sync"
	"time"
)

// throttle passes news on, one after the other and at most one per interval:
// of those that come faster, the newest.
type throttle struct {
	interval time.Duration
	pass     func(string)

	mutex   sync.Mutex
	pending *string
	resting bool // passing something on, or within the interval after it
	closed  bool
	timer   *time.Timer
	passing sync.WaitGroup
}

func newThrottle(interval time.Duration, pass func(string)) *throttle {
	return &throttle{interval: interval, pass: pass}
}

// say passes text on, now or soon, without waiting for it.
func (t *throttle) say(text string) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	t.pending = &text
	t.next()
}

// next passes pending news on unless it is too soon. The mutex is held.
func (t *throttle) next() {
	if t.closed || t.resting || t.pending == nil {
		return
	}
	text := *t.pending
	t.pending, t.resting = nil, true
	t.passing.Add(1)
	go func() {
		defer t.passing.Done()
		t.pass(text)
		t.mutex.Lock()
		defer t.mutex.Unlock()
		t.timer = time.AfterFunc(t.interval, t.wake)
	}()
}

func (t *throttle) wake() {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	t.resting = false
	t.next()
}

// close drops what is pending and waits for what is being passed on, so that
// no news comes after the outcome.
func (t *throttle) close() {
	t.mutex.Lock()
	t.closed = true
	t.mutex.Unlock()
	t.passing.Wait()
	t.mutex.Lock()
	defer t.mutex.Unlock()
	if t.timer != nil {
		t.timer.Stop()
	}
}
