package controlplane

import "testing"

func TestSchedulerConfiguration(t *testing.T) {
	t.Parallel()
	const head = "apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\n"
	parsed, err := parseSchedulerConfiguration(head + "profiles: [{schedulerName: packer}, {schedulerName: default-scheduler}]\n")
	if err != nil {
		t.Fatal(err)
	}
	if len(parsed.Profiles) != 1 || parsed.Profiles[0].SchedulerName != "packer" {
		t.Errorf("profiles %v", parsed.Profiles)
	}
	for name, content := range map[string]string{
		"not YAML":         "{",
		"another kind":     "apiVersion: v1\nkind: Pod\n",
		"only the default": head,
		"a name twice":     head + "profiles: [{schedulerName: a}, {schedulerName: a}]\n",
		"an unknown field": head + "profils: [{schedulerName: a}]\n",
	} {
		if _, err := parseSchedulerConfiguration(content); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
}
