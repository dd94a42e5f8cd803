// Package terminal is what a command reads from and writes to: the standard
// streams, whether a person sits in front of them, how wide and high the
// screen is, and the few ANSI sequences we write. Commands get it from the
// factory and never touch os.Stdout themselves, so that tests run them with
// buffers and screens of any size.
package terminal
