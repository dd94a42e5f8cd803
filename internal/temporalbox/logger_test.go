package temporalbox

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"

	"go.temporal.io/server/common/log/tag"
)

func TestServerLog(t *testing.T) {
	t.Parallel()
	var text bytes.Buffer
	var fatal string
	var stopping atomic.Bool
	logger := newServerLogger(slog.New(slog.NewTextHandler(&text, nil)), func(message string) { fatal = message }, &stopping)
	logger.Warn("chatter")
	logger.Error("trouble", tag.Error(errors.New("cause")))
	stopping.Store(true)
	logger.Error("farewell")
	if got := text.String(); strings.Contains(got, "chatter") || strings.Contains(got, "farewell") ||
		!strings.Contains(got, "trouble") || !strings.Contains(got, "cause") || strings.Contains(got, "level=ERROR") {
		t.Errorf("got %s", got)
	}
	logger.Fatal("Failed to start gRPC listener", tag.Error(errors.New("address already in use")))
	if !strings.Contains(fatal, "cannot go on: Failed to start gRPC listener") || !strings.Contains(fatal, "address already in use") || strings.Contains(fatal, "\n") {
		t.Errorf("got %q", fatal)
	}
}
