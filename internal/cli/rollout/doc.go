// Package rollout holds the verbs of rollouts: baseline (start one, or plan
// it), status, list, pause, resume, abort.
package rollout
