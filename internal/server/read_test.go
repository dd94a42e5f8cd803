package server_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/timestamppb"

	fleetv1 "github.com/meridian-fleet/meridian/api/fleet/v1"
	"github.com/meridian-fleet/meridian/internal/fleet"
)

func TestReads(t *testing.T) {
	f := newFixture(t)
	f.apply(profile + strings.Replace(region, "3}", "3, labels: {ring: canary}}", 1) + secondRegion)
	got, err := f.Get(t.Context(), connect.NewRequest(&fleetv1.GetRequest{Kind: "Region", Name: "aws/eu-west-3"}))
	if err != nil {
		t.Fatal(err)
	}
	document := got.Msg.GetDocument().AsMap()
	if document["kind"] != "Region" || document["spec"].(map[string]any)["profile"] != "small" {
		t.Errorf("got %v", document)
	}
	list, err := f.List(t.Context(), connect.NewRequest(&fleetv1.ListRequest{Kind: "Region", MatchLabels: map[string]string{"ring": "canary"}}))
	if err != nil {
		t.Fatal(err)
	}
	if len(list.Msg.GetDocuments()) != 1 || list.Msg.GetRevision() != f.revision() {
		t.Errorf("got %v", list.Msg)
	}
	_, err = f.Get(t.Context(), connect.NewRequest(&fleetv1.GetRequest{Kind: "Region", Name: "aws/none"}))
	expectFailure(t, err, fleet.ErrNotFound, "Region aws/none")
	_, err = f.List(t.Context(), connect.NewRequest(&fleetv1.ListRequest{Kind: "regions"}))
	expectFailure(t, err, fleet.ErrInvalid, "no such kind")
	_, err = f.Get(t.Context(), connect.NewRequest(&fleetv1.GetRequest{Kind: "Region", Name: "x", AsOf: &timestamppb.Timestamp{Nanos: -1}}))
	expectFailure(t, err, fleet.ErrInvalid, "as_of")
}

func TestReadsOfThePast(t *testing.T) {
	f := newFixture(t)
	f.apply(profile + region)
	resource := f.resource(fleet.KindRegion, "aws/eu-west-3")
	f.apply(strings.Replace(region, "3}", "3, labels: {ring: canary}}", 1))
	then, err := f.Get(t.Context(), connect.NewRequest(&fleetv1.GetRequest{
		Kind: "Region", Name: "aws/eu-west-3", AsOf: timestamppb.New(*resource.Metadata.UpdatedAt),
	}))
	if err != nil {
		t.Fatal(err)
	}
	if metadata := then.Msg.GetDocument().AsMap()["metadata"].(map[string]any); metadata["labels"] != nil {
		t.Errorf("the past has labels of today: %v", metadata)
	}
	_, err = f.Get(t.Context(), connect.NewRequest(&fleetv1.GetRequest{
		Kind: "Region", Name: "aws/eu-west-3", AsOf: timestamppb.New(time.Now().Add(-time.Hour)),
	}))
	expectFailure(t, err, fleet.ErrNotFound)
}

func TestWatch(t *testing.T) {
	f := newFixture(t)
	f.apply(profile + strategy)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	stream, err := f.Watch(ctx, connect.NewRequest(&fleetv1.WatchRequest{Kinds: []string{"Region"}, AfterRevision: -1}))
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	if !stream.Receive() || stream.Msg().GetChange() != nil {
		t.Fatalf("no greeting: %v, %v", stream.Msg(), stream.Err())
	}
	if !stream.Receive() || stream.Msg().GetChange() != nil {
		t.Fatalf("no keep-alive while nothing happens: %v, %v", stream.Msg(), stream.Err())
	}
	f.apply(region)
	change := nextChange(t, stream)
	if change.GetKind() != "Region" || change.GetAction() != "created" || change.GetAfter() == nil {
		t.Errorf("got %v", change)
	}
	f.server.EndWatches()
	for stream.Receive() {
	}
	if connect.CodeOf(stream.Err()) != connect.CodeUnavailable {
		t.Errorf("a server that stops ends a watch with %v", stream.Err())
	}
}

func nextChange(t *testing.T, stream *connect.ServerStreamForClient[fleetv1.WatchResponse]) *fleetv1.Change {
	t.Helper()
	for stream.Receive() {
		if change := stream.Msg().GetChange(); change != nil {
			return change
		}
	}
	t.Fatal(stream.Err())
	return nil
}

func TestWatchFromTheBeginning(t *testing.T) {
	f := newFixture(t)
	f.apply(profile + region)
	stream, err := f.Watch(t.Context(), connect.NewRequest(&fleetv1.WatchRequest{}))
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	if change := nextChange(t, stream); change.GetKind() != "ClusterProfile" {
		t.Errorf("the first change is %v", change)
	}
	unknown, err := f.Watch(t.Context(), connect.NewRequest(&fleetv1.WatchRequest{Kinds: []string{"Planet"}}))
	if err == nil {
		unknown.Receive()
		err = unknown.Err()
	}
	expectFailure(t, err, fleet.ErrInvalid, "no such kind")
}

func TestHealthAndMetrics(t *testing.T) {
	f := newFixture(t)
	f.apply(profile + region)
	expectPage(t, f.url+"/healthz", http.StatusOK, "ok")
	expectPage(t, f.url+"/readyz", http.StatusOK, "inventory: ok\ntemporal: ok")
	f.checkErr = fleet.Errorf(fleet.ErrUnavailable, "secret address is away")
	page := expectPage(t, f.url+"/readyz", http.StatusServiceUnavailable, "inventory: ok\ntemporal: unavailable")
	if strings.Contains(page, "secret") {
		t.Errorf("strangers are told %s", page)
	}
	f.probe("FleetService/Apply", "")
	expectPage(t, f.url+"/metrics", http.StatusOK, `meridian_api_calls_total{code="ok",method="Apply"} 1`,
		`meridian_api_calls_total{code="unauthenticated",method="Apply"} 1`,
		`meridian_regions{phase="Declared"} 1`, "meridian_clusters_drifted 0", "go_goroutines", "process_open_fds",
		`meridian_api_call_duration_seconds_count{method="Apply"} 1`)
}

func expectPage(t *testing.T, url string, status int, texts ...string) string {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != status {
		t.Errorf("%s: status %d, want %d", url, response.StatusCode, status)
	}
	for _, text := range texts {
		if !strings.Contains(string(body), text) {
			t.Errorf("%s does not say %q:\n%s", url, text, body)
		}
	}
	return string(body)
}

func TestVersion(t *testing.T) {
	f := newFixture(t)
	response, err := f.GetVersion(t.Context(), connect.NewRequest(&fleetv1.GetVersionRequest{}))
	if err != nil || response.Msg.GetVersion() != "1.2.3" {
		t.Errorf("got %v, %v", response, err)
	}
}

// What was true at a time is asked of those who keep both times apart.
func TestListsWhatWasTrue(t *testing.T) {
	f := newFixture(t)
	day := timestamppb.New(time.Date(2026, 3, 3, 0, 0, 0, 0, time.UTC))
	list, err := f.List(t.Context(), connect.NewRequest(&fleetv1.ListRequest{Kind: "Dataset", TrueAt: day}))
	if err != nil || len(list.Msg.GetDocuments()) != 1 || !f.residency.moment.AsOf.Equal(day.AsTime()) || !f.residency.moment.KnownAt.IsZero() {
		t.Errorf("%v, %v; of %+v", list, err, f.residency.moment)
	}
	list, err = f.List(t.Context(), connect.NewRequest(&fleetv1.ListRequest{Kind: "Dataset", TrueAt: day, AsOf: day, MatchLabels: map[string]string{"ring": "canary"}}))
	if err != nil || len(list.Msg.GetDocuments()) != 0 || !f.residency.moment.KnownAt.Equal(day.AsTime()) {
		t.Errorf("%v, %v; of %+v", list, err, f.residency.moment)
	}
	_, err = f.List(t.Context(), connect.NewRequest(&fleetv1.ListRequest{Kind: "Dataset", TrueAt: day, Owner: "a"}))
	expectFailure(t, err, fleet.ErrInvalid, "true_at")
	_, err = f.List(t.Context(), connect.NewRequest(&fleetv1.ListRequest{Kind: "Dataset", TrueAt: &timestamppb.Timestamp{Nanos: -1}}))
	expectFailure(t, err, fleet.ErrInvalid, "as_of")
}
