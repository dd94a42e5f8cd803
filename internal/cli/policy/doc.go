// Package policy holds the verbs of residency policies: lint finds faults and
// suspicious rules in files, diff says what changed policies would make
// unlawful before they are applied, test runs cases, and compile writes the
// policies that clouds and clusters enforce by themselves.
package policy
