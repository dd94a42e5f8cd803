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
