// Package region holds the verbs of regions: onboard, which takes declared
// regions into the fleet and can show how far they are; abort, which stops an
// onboarding and undoes it; and list.
package region
