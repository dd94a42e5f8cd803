// Package follow keeps a command informed while it waits: it reads the present
// state, then receives every change after it, in order and without a gap, also
// over a restart of the daemon, whose absence it announces once and waits out
// with growing pauses.
package follow
