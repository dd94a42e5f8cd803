// Package suggest finds what somebody may have meant who typed a name that
// does not exist: the name most like it among those there are.
package suggest
