// Package output writes results in the format a person or a script asked for
// with -o: aligned tables, the documents themselves as JSON or YAML exactly as
// the server has them, or bare kind/name lines.
package output
