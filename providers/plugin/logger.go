package plugin

import (
	"context"
	"io"
	"log/slog"

	"github.com/hashicorp/go-hclog"
)

// newLogger leads go-plugin's log lines, and those of the plugin that it reads
// from its stderr, into a slog logger.
func newLogger(logger *slog.Logger) hclog.Logger {
	intercept := hclog.NewInterceptLogger(&hclog.LoggerOptions{Output: io.Discard, Level: hclog.Trace})
	intercept.RegisterSink(sink{logger: logger})
	return intercept
}

type sink struct{ logger *slog.Logger }

// Accept implements hclog.SinkAdapter.
func (s sink) Accept(_ string, level hclog.Level, message string, args ...any) {
	s.logger.Log(context.Background(), slogLevel(level), message, args...)
}

// slogLevel lowers go-plugin's own chatter: what it calls informational is of
// interest only to someone who looks for a fault in a plugin.
func slogLevel(level hclog.Level) slog.Level {
	switch level {
	case hclog.Warn:
		return slog.LevelWarn
	case hclog.Error:
		return slog.LevelError
	default:
		return slog.LevelDebug
	}
}
