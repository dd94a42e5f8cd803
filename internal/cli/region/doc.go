// Package region holds the verbs of regions: onboard, abort, list.
package region
