// Package providerhost runs the provider plugins of a fleet. It finds them in a
// folder, pins each binary's checksum in a lock file when it first sees it and
// refuses another one later, starts a plugin when it is first needed, starts it
// again when it crashed or hangs, and leaves none behind. What it hands out is
// a providers.Provider that outlives the processes behind it and whose errors
// have the kinds of package fleet.
package providerhost
