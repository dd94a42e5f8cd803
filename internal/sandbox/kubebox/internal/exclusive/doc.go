// Package exclusive keeps two processes from working on one directory. A second
// one waits a little, for the first may be about to end.
package exclusive
