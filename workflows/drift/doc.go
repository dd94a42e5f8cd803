// Package drift holds the workflows that compare clusters with the baselines
// they should have, on a schedule or when asked, and that take drifted
// clusters back to them.
package drift
