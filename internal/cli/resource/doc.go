// Package resource holds the verbs that hold for every kind of resource:
// apply, get, describe, delete, history.
package resource
