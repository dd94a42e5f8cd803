package onboarding

import (
	"fmt"
	"slices"
	"strings"

	"github.com/meridian-fleet/meridian/workflows"
)

// progress is what is done with each cluster of a region now.
type progress struct{ steps map[string]string }

func newProgress() *progress { return &progress{steps: map[string]string{}} }

// enter notes a cluster's step; an empty one means that it is done.
func (p *progress) enter(cluster, step string) {
	if step == "" {
		delete(p.steps, cluster)
		return
	}
	p.steps[cluster] = step
}

// text says it in one line: the step alone while one cluster is worked on.
func (p *progress) text() string {
	if len(p.steps) == 1 {
		for _, step := range p.steps {
			return step
		}
	}
	parts := make([]string, 0, len(p.steps))
	for cluster, step := range p.steps {
		parts = append(parts, fmt.Sprintf("%s: %s", cluster, step))
	}
	slices.Sort(parts)
	return strings.Join(parts, "; ")
}

// stepError says where an onboarding failed.
type stepError struct {
	cluster, step string
	cause         error
}

func (e *stepError) Error() string {
	return fmt.Sprintf("cluster %s, %s: %s", e.cluster, e.step, workflows.FailureOf(e.cause).Text())
}

func (e *stepError) Unwrap() error { return e.cause }
