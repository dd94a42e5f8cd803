// Package usage holds what all commands share in how they are called: the
// checks of their arguments, label selectors, points in time, and the help of
// commands that only group others.
package usage
