// Package worker runs Meridian's workflows and activities: what is registered
// under which name, on which queues, and with which limits.
//
// One binary replaces another, so workflows that were started by an older one
// are continued by a newer one. Code that changes what a running workflow does
// asks workflow.GetVersion; the replay tests beside each workflow hold the code
// to histories recorded earlier.
package worker
