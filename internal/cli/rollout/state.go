package rollout

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"connectrpc.com/connect"

	fleetv1 "github.com/meridian-fleet/meridian/api/fleet/v1"
	"github.com/meridian-fleet/meridian/api/fleet/v1/fleetv1connect"
	"github.com/meridian-fleet/meridian/internal/cli/kinds"
	"github.com/meridian-fleet/meridian/internal/cli/output"
	"github.com/meridian-fleet/meridian/internal/cli/progress"
	"github.com/meridian-fleet/meridian/internal/cli/terminal"
	"github.com/meridian-fleet/meridian/internal/fleet"
)

// state is what is known of a rollout and of its part in each cluster.
type state struct {
	id       string
	revision int64 // of the Rollout
	spec     fleet.RolloutSpec
	status   fleet.RolloutStatus
	clusters map[string]clusterState
}

type clusterState struct {
	revision int64
	spec     fleet.ClusterChangeSpec
	status   fleet.ClusterChangeStatus
}

// read gets the present state, and the revision to follow from.
func (s *state) read(ctx context.Context, client fleetv1connect.FleetServiceClient) (int64, error) {
	changes, err := client.List(ctx, connect.NewRequest(&fleetv1.ListRequest{Kind: string(fleet.KindClusterChange), Owner: s.id}))
	if err != nil {
		return 0, err
	}
	rollout, err := client.Get(ctx, connect.NewRequest(&fleetv1.GetRequest{Kind: string(fleet.KindRollout), Name: s.id}))
	if err != nil {
		return 0, err
	}
	for _, document := range append(changes.Msg.GetDocuments(), rollout.Msg.GetDocument()) {
		resource, err := output.Resource(document)
		if err == nil {
			err = s.see(resource)
		}
		if err != nil {
			return 0, err
		}
	}
	return changes.Msg.GetRevision(), nil
}

// see takes in a resource, unless a newer state of it is known.
func (s *state) see(resource fleet.Resource) error {
	switch {
	case resource.Kind == fleet.KindRollout && resource.Metadata.Name == s.id:
		return s.seeRollout(resource)
	case resource.Kind == fleet.KindClusterChange && resource.Metadata.Owner == s.id:
		return s.seeCluster(resource)
	}
	return nil
}

func (s *state) seeRollout(resource fleet.Resource) (err error) {
	if resource.Metadata.Revision < s.revision {
		return nil
	}
	s.revision = resource.Metadata.Revision
	if s.spec, err = fleet.SpecOf[fleet.RolloutSpec](resource); err != nil {
		return err
	}
	s.status, err = fleet.StatusOf[fleet.RolloutStatus](resource)
	return err
}

func (s *state) seeCluster(resource fleet.Resource) error {
	spec, err := fleet.SpecOf[fleet.ClusterChangeSpec](resource)
	if err != nil {
		return err
	}
	if resource.Metadata.Revision < s.clusters[spec.Cluster].revision {
		return nil
	}
	status, err := fleet.StatusOf[fleet.ClusterChangeStatus](resource)
	if s.clusters == nil {
		s.clusters = map[string]clusterState{}
	}
	s.clusters[spec.Cluster] = clusterState{resource.Metadata.Revision, spec, status}
	return err
}

// ofWave returns the clusters of a wave that something is known of, in the
// wave's order.
func (s *state) ofWave(wave fleet.WaveStatus) []clusterState {
	var found []clusterState
	for _, name := range wave.Clusters {
		if cluster, ok := s.clusters[name]; ok {
			found = append(found, cluster)
		}
	}
	return found
}

// lines are the rollout as it progresses: each wave, and below it its clusters.
func (s *state) lines() []progress.Line {
	lines := []progress.Line{{
		Key: "rollout " + s.id, State: string(s.status.Phase), Detail: s.rolloutDetail(),
		Style: style(s.status.Phase), Done: false,
	}}
	for _, wave := range s.status.Waves {
		lines = append(lines, progress.Line{
			Key: "wave " + wave.Name, State: string(wave.Phase), Detail: s.waveMessage(wave),
			Counter: waveCount(wave),
			Style:   style(wave.Phase), Done: wave.Phase == fleet.PhaseSucceeded,
		})
		for _, cluster := range s.ofWave(wave) {
			lines = append(lines, progress.Line{
				Key: "cluster " + cluster.spec.Cluster, Indent: 1, State: string(cluster.status.Phase),
				Detail: clusterDetail(cluster.status), Style: style(cluster.status.Phase),
				Done: cluster.status.Phase == fleet.PhaseSucceeded,
			})
		}
	}
	return lines
}

// waveMessage is empty when the rollout says the same.
func (s *state) waveMessage(wave fleet.WaveStatus) string {
	if wave.Message == s.status.Message {
		return ""
	}
	return wave.Message
}

func waveCount(wave fleet.WaveStatus) string {
	text := fmt.Sprintf("%d/%d clusters", wave.Succeeded, len(wave.Clusters))
	if wave.Failed > 0 {
		text += fmt.Sprintf(", %d failed", wave.Failed)
	}
	return text
}

func (s *state) rolloutDetail() string {
	detail := s.status.Message
	if s.status.Phase == fleet.PhasePaused {
		detail = strings.TrimPrefix(detail+"; go on with `fleetctl rollout resume "+s.id+"`", "; ")
	}
	return detail
}

func style(phase fleet.Phase) terminal.Style {
	switch phase {
	case fleet.PhaseSucceeded:
		return terminal.Good
	case fleet.PhaseFailed, fleet.PhaseAborted:
		return terminal.Bad
	case fleet.PhasePaused, fleet.PhaseWaiting:
		return terminal.Notice
	case fleet.PhasePending, fleet.PhaseSkipped:
		return terminal.Faint
	}
	return terminal.Plain
}

// clusterDetail says what was done, or what a cluster waits for.
func clusterDetail(status fleet.ClusterChangeStatus) string {
	var parts []string
	if status.Phase == fleet.PhaseSucceeded {
		parts = append(parts, fmt.Sprintf("%d created, %d configured, %d unchanged, %d pruned",
			status.Created, status.Configured, status.Unchanged, status.Pruned))
	}
	if status.Message != "" {
		parts = append(parts, status.Message)
	}
	if len(status.Blocking) > 0 && status.Phase != fleet.PhaseSucceeded {
		first := status.Blocking[0]
		waits := fmt.Sprintf("%s waits: %s", first.Object, first.Reason)
		if more := len(status.Blocking) - 1; more > 0 {
			waits += fmt.Sprintf(" (and %s)", counted(more, "other object"))
		}
		if !strings.Contains(status.Message, first.Object) {
			parts = append(parts, waits)
		}
	}
	return strings.Join(parts, "; ")
}

// total sums the rollout up in a line.
func (s *state) total() string {
	succeeded, failed, all := kinds.Count(s.status)
	text := fmt.Sprintf("rollout/%s %s: %d of %s on %s, %d failed", s.id, strings.ToLower(string(s.status.Phase)),
		succeeded, counted(all, "cluster"), s.spec.Baseline, failed)
	if s.status.StartedAt != nil && s.status.FinishedAt != nil {
		text += ", in " + output.Took(s.status.FinishedAt.Sub(*s.status.StartedAt))
	}
	return text
}

// blocked lists what failed clusters wait for.
func (s *state) blocked() *output.Grid {
	grid := output.NewGrid("CLUSTER", "COMPONENT", "OBJECT", "WAITS FOR")
	var clusters []clusterState
	for _, cluster := range s.clusters {
		if cluster.status.Phase != fleet.PhaseSucceeded {
			clusters = append(clusters, cluster)
		}
	}
	slices.SortFunc(clusters, func(a, b clusterState) int { return cmp.Compare(a.spec.Cluster, b.spec.Cluster) })
	for _, cluster := range clusters {
		for _, object := range cluster.status.Blocking {
			grid.Row(cluster.spec.Cluster, object.Component, object.Object, object.Reason)
		}
	}
	return grid
}
