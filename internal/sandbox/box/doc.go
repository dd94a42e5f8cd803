// Package box supervises the control planes of a sandbox: one etcd process and
// one kubebox process per control plane, all under one directory. It starts a
// few at a time, restarts what dies with the address and the data it had, and
// leaves nothing behind: not when a control plane is removed, not when the host
// closes, and not when its own process is killed, because every child ends when
// the pipe to its parent does.
package box
