package box

// KillEtcd ends the etcd process as a crash would.
func (h *Host) KillEtcd() bool { return h.etcd.kill() }
