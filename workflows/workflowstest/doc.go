// Package workflowstest holds workflow code to the histories it wrote earlier:
// a change that would make a running workflow act differently on replay fails
// a test before it fails a fleet.
package workflowstest
