// Package server answers the public API (api/fleet/v1) over HTTP. Each call is
// authenticated, authorised by role, and then either answered from the
// inventory or turned into a Temporal workflow that does the work; the server
// itself changes no cluster. It reaches everything else through the small
// interfaces in Config, so that it knows workflow names but no Temporal client,
// bundle content but no baseline engine, kubeconfigs but no Cluster API, verdicts
// but no rule engine. What it keeps to itself is who may do what: see callers,
// writers and guard.
package server
