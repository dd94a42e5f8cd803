// Package lifeline ties a process to the one that started it: the parent holds
// the write end of the child's standard input, so however the parent ends, the
// kernel closes the pipe and the child notices.
package lifeline
