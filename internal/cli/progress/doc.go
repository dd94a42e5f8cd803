// Package progress shows how far a long operation is. On a terminal it keeps a
// block of lines up to date in place, never more than the screen holds and
// never wider; elsewhere it appends a plain line for each change, without
// times, in a format scripts can rely on.
package progress
