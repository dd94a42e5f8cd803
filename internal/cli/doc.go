// Package cli is fleetctl: a command line over Meridian's API. There is a
// package for each noun (region, rollout, drift, cluster) with a file for each
// verb, and one for the verbs that hold for every kind of resource. A command
// is an options struct, a constructor that fills it from flags, and a function
// that runs it with what the factory gives: streams, an API client, a clock.
// It talks to the API only and knows nothing of the daemon.
package cli
