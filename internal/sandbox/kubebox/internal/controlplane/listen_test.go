package controlplane

import (
	"os"
	"path/filepath"
	"testing"
)

func TestListenRemembersItsPort(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "port")
	first, err := listen(file)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := listen(file); err == nil {
		t.Error("the remembered port was opened twice")
	}
	first.Close()
	again, err := listen(file)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if again.Addr().String() != first.Addr().String() {
		t.Errorf("first %s, then %s", first.Addr(), again.Addr())
	}
}

func TestListenRefusesABrokenFile(t *testing.T) {
	t.Parallel()
	for _, content := range []string{"", "none", "-1", "70000"} {
		file := filepath.Join(t.TempDir(), "port")
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if listener, err := listen(file); err == nil {
			listener.Close()
			t.Errorf("%q was taken for a port", content)
		}
	}
}

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
		"not YAML":             "{",
		"another kind":         "apiVersion: v1\nkind: Pod\n",
		"only the default":     head,
		"a name twice":         head + "profiles: [{schedulerName: a}, {schedulerName: a}]\n",
		"an unknown extension": head + "profiles: [{schedulerName: a, pluginConfig: [{name: NodeResourcesFit, args: {scoringStrategy: {type: Wrong}}}]}]\n",
	} {
		if _, err := parseSchedulerConfiguration(content); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
}
