// Package baseline delivers baselines to clusters. A Bundle is a baseline's
// files, loaded, checked in full and addressed by digest; Resolve turns it,
// purely, into the objects one cluster should have (conditions, overrides and
// substitutions decided by the cluster's facts); a Cluster plans, applies and
// compares them: in dependency order by server-side apply, skipping without a
// request what is provably unchanged, waiting for readiness on watches, deleting
// what a new version dropped, and never touching what others own. Everything a
// run does can be repeated: a run that was interrupted is finished by the next.
package baseline
