// Package kinds knows the kinds of resources as people type and read them:
// their plural and short names, and the columns each shows in a table.
package kinds
