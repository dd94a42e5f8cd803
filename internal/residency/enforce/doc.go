// Package enforce compiles residency policies into the policy languages of
// those who can keep them without Meridian: AWS service control policies, GCP
// organization policies, Azure Policy, and Kubernetes validating admission
// policies with parameters for each cluster. It is pure: documents, catalog
// and instant in, files out.
//
// No target can keep every rule. Each output therefore has a residual list: the
// clauses that somebody has to see to by other means, and why. Where a target
// cannot tell things apart it is compiled to refuse too much and not too
// little, and the residual list says so. docs/enforcement.md tells how the
// outputs are used.
package enforce
