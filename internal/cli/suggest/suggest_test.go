package suggest_test

import (
	"testing"

	"github.com/meridian-fleet/meridian/internal/cli/suggest"
)

func TestNearest(t *testing.T) {
	t.Parallel()
	known := []string{"customers", "card-payments", "aws/eu-central-1", "aws/eu-central-2", "crm"}
	for given, want := range map[string]string{
		"custmers": "customers", "Customers": "customers", "card_payment": "card-payments", "aws/eu-centrl-1": "aws/eu-central-1",
		"crn": "crm", "patients": "", "x": "", "": "",
	} {
		if got := suggest.Nearest(given, known); got != want {
			t.Errorf("%q: %q, want %q", given, got, want)
		}
	}
}
