// Package complete completes command lines with what the daemon knows: kinds,
// names, baselines, strategies. Without a daemon it completes nothing, and
// says nothing.
package complete
