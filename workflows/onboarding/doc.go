// Package onboarding is the workflow that brings a region into the fleet: it
// resolves what is declared, has the provider render Cluster API objects,
// applies them to the management cluster, waits until Cluster API reports the
// clusters ready, records what is there, and installs the region's baseline.
// An onboarding that is aborted or fails for good removes what it made.
package onboarding
