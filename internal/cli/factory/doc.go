// Package factory is what every command is made from: the streams, the way to
// the daemon, the clock, and the flags that hold for all commands. main makes
// the real one; a test makes one with buffers, a server in its own process
// and a clock that stands still.
package factory
