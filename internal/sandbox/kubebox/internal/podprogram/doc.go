// Package podprogram recognises simulated pods whose program kubebox can run
// for real. Containers of simulated pods do not run; but a second scheduler that
// schedules nothing would make every pod that names it wait for ever, so the
// schedulers that pods stand for are run in the cluster's own process, with the
// configuration and the rights the pod has.
package podprogram
