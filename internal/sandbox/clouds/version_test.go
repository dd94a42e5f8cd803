package clouds

import (
	"errors"
	"testing"
)

func TestUpgrade(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		present, desired, want, reason string
	}{
		{"", "1.35.2", "v1.35.2", ""},
		{"", "v1.35", "v1.35.0", ""},
		{"v1.35.2", "v1.35.2", "v1.35.2", ""},
		{"v1.35.2", "1.35.4", "v1.35.4", ""},
		{"v1.35.2", "v1.36.3", "v1.36.3", ""},
		{"v1.34.9", "v1.36.0", "", "UnsupportedUpgrade"},
		{"v1.36.3", "v1.35.4", "", "UnsupportedUpgrade"},
		{"v1.36.3", "v1.36.2", "", "UnsupportedUpgrade"},
		{"", "latest", "", "InvalidVersion"},
		{"", "", "", "InvalidVersion"},
		{"v1.36.3", "v2.0.0", "", "InvalidVersion"},
	} {
		got, err := upgrade(test.present, test.desired)
		if got != test.want || reasonOf(err) != test.reason {
			t.Errorf("from %q to %q gave %q, %v; want %q, reason %q", test.present, test.desired, got, err, test.want, test.reason)
		}
	}
}

func TestNodesAreNeverNewerThanTheirControlPlane(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		pool, controlPlane, want string
		waits                    bool
	}{
		{"", "v1.36.3", "v1.36.3", false},
		{"v1.35.4", "v1.36.3", "v1.35.4", false},
		{"1.36.3", "v1.36.3", "v1.36.3", false},
		{"v1.36.3", "v1.35.4", "", true},
	} {
		got, err := nodeVersion(test.pool, test.controlPlane)
		var waits *waiting
		if got != test.want || errors.As(err, &waits) != test.waits {
			t.Errorf("pool %q on %q gave %q, %v", test.pool, test.controlPlane, got, err)
		}
	}
}

func reasonOf(err error) string {
	var refused *refusal
	if errors.As(err, &refused) {
		return refused.reason
	}
	return ""
}
